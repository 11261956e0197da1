// One line of the upload queue: what it is, how far it is, what can be done with it.
import { copyText, el, icon, toast } from '../dom.js'
import { name } from './codes.js'
import { bytes } from './format.js'

// Of sound, the size in pixels would be that of its cover.
const sizeText = ({ kind, width, height }) => (kind === 'audio' ? '' : `${width} × ${height}`)

/** The words for an item's state. Pure. */
export function stateText(item) {
  const size = item.total ? ` of ${bytes(item.total)}` : ''
  switch (item.state) {
    case 'waiting':
      return 'Waiting'
    case 'sending':
      return `${bytes(item.sent)}${size}`
    case 'working':
      return item.file ? 'Hanging it up…' : 'Fetching it…'
    case 'done':
      return item.media.duplicate ? 'You had this one already' : [sizeText(item.media), bytes(item.media.bytes)].filter(Boolean).join(' · ')
    case 'failed':
      return item.problem.message
    default:
      return 'Cancelled'
  }
}

/** What the source is called before it has become a media item. */
export function sourceName(item) {
  if (item.file) return item.file.name || 'Pasted picture'
  const { hostname, pathname } = new URL(item.url)
  const last = pathname.split('/').pop()
  try {
    return decodeURI(last) || hostname
  } catch {
    return last
  }
}

/** Makes the row; its `show(item)` brings it up to date. `acts` are cancel, retry and again. */
export function makeRow(item, acts) {
  const title = el('span', { class: 'queue-name' }, sourceName(item))
  const state = el('span', { class: 'queue-state' })
  const buttons = el('div', { class: 'queue-acts' })
  const more = el('div', { class: 'queue-more' })
  const element = el('li', { class: 'queue-row' }, thumb(item), el('div', { class: 'queue-text' }, title, state), buttons, more)
  const bar = el('progress', { class: 'bar', max: 1, 'aria-label': `Progress of ${sourceName(item)}` })
  let shown = ''

  const show = (now) => {
    state.textContent = stateText(now)
    if (now.state === 'sending' && now.total) bar.value = now.sent / now.total
    else bar.removeAttribute('value')
    // Rebuilding buttons while bytes go up would take the focus off them.
    const key = now.state === 'working' ? 'sending' : now.state
    if (shown === key) return
    shown = key
    element.dataset.state = key
    const hadFocus = element.contains(document.activeElement)
    if (key === 'done') title.replaceChildren(el('a', { href: `/m/${encodeURIComponent(now.media.id)}` }, name(now.media)))
    buttons.replaceChildren(...buttonsFor(now, acts))
    more.replaceChildren(...(key === 'sending' ? [bar] : key === 'done' ? [link(now.media)] : []))
    if (hadFocus) element.querySelector('button, a')?.focus()
  }
  show(item)
  return { element, show }
}

function buttonsFor(item, acts) {
  const called = sourceName(item)
  if (['waiting', 'sending', 'working'].includes(item.state)) return [iconButton('close', `Cancel ${called}`, acts.cancel)]
  if (item.state === 'done') return item.media.duplicate ? [wordButton('Keep a second copy', acts.again)] : []
  return item.isFinal ? [] : [wordButton('Retry', acts.retry, `Retry ${called}`)]
}

const iconButton = (sign, label, onclick) =>
  el('button', { type: 'button', class: 'button button-quiet button-icon', 'aria-label': label, title: label, onclick }, icon(sign))

const wordButton = (text, onclick, label = text) =>
  el('button', { type: 'button', class: 'button', 'aria-label': label, onclick }, icon('retry'), text)

function link({ urls, ...media }) {
  const box = el('input', { readonly: true, value: urls.view, 'aria-label': `Link of ${name(media)}`, onfocus: () => box.select() })
  const copy = iconButton('copy', `Copy the link of ${name(media)}`, async () => {
    const copied = await copyText(urls.view)
    toast(copied ? 'Link copied' : 'Select the link to copy it', copied ? 'check' : 'alert')
  })
  return el('div', { class: 'code-line' }, box, copy)
}

function thumb({ file }) {
  const frame = el('span', { class: 'queue-thumb' }, icon(file ? 'picture' : 'link'))
  if (!file || !file.type.startsWith('image/')) return frame
  const address = URL.createObjectURL(file)
  const picture = el('img', { src: address, alt: '', decoding: 'async' })
  const forget = () => URL.revokeObjectURL(address)
  picture.addEventListener('load', () => (frame.replaceChildren(picture), forget()))
  picture.addEventListener('error', forget)
  return frame
}
