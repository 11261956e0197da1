// How figures and times read to people, and how people write bytes. Pure.
const UNITS = [['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['kB', 1e3], ['bytes', 1]]
const FIGURE = new Intl.NumberFormat('en')
const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })
const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

export const number = (count) => FIGURE.format(count)

/** Bytes in decimal units: `2.7 MB`. The same rule as on the pages of a site. */
export function bytes(count) {
  let size = Math.max(0, count)
  if (size < 999.5) return `${Math.round(size)} bytes`
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    size /= 1000
    if (size < 999.5 || unit === 'TB') return `${size < 9.95 ? size.toFixed(1) : number(Math.round(size))} ${unit}`
  }
}

export const byteUnits = UNITS.map(([name]) => name).reverse()

/** The shortest exact way to write a count of bytes: 1500000000 → ['1.5', 'GB']. */
export function splitBytes(count) {
  const [name, size] = UNITS.find(([, unit]) => count >= unit && count % (unit / 1000) === 0) ?? ['bytes', 1]
  return [String(count / size), name]
}

/** What was written, as bytes. */
export function joinBytes(amount, unit) {
  const [, size] = UNITS.find(([name]) => name === unit)
  return Math.round(Number(amount) * size)
}

/** Whether a limit or a figure counts bytes. */
export const countsBytes = (name, unit = '') => /byte/.test(unit) || /bytes/.test(name)

/** A figure in its own measure. */
export const amount = (name, count, unit) => (countsBytes(name, unit) ? bytes(count) : number(count))

const isTime = (text) => text != null && !Number.isNaN(Date.parse(text))

export const day = (text) => (isTime(text) ? DAY.format(new Date(text)) : '–')
export const moment = (text) => (isTime(text) ? MOMENT.format(new Date(text)) : '–')

/** A time of the API for a `datetime-local` field, in the zone of the reader. */
export function localTime(text) {
  if (!isTime(text)) return ''
  const time = new Date(text)
  return new Date(time - time.getTimezoneOffset() * 60000).toISOString().slice(0, 16)
}

// Names that say the measure, which the figure beside them says already.
const NAMES = {
  bytes_stored: 'Storage', bytes_served_month: 'Traffic a month', upload_bytes: 'Size of an upload',
  variants_rendered_month: 'Variants made a month', api: 'API', url_upload: 'Upload by address',
}

/** `max_api_requests_minute` as `API requests a minute`. */
export function title(name) {
  const plain = name.replace(/^max_/, '')
  if (Object.hasOwn(NAMES, plain)) return NAMES[plain]
  const words = plain.replaceAll('_', ' ').replace(/ (month|minute)$/, ' a $1')
    .replace(/\bapi\b/, 'API')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
