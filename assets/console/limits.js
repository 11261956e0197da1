// The editor of limits and features: of a plan, of a tenant's own, or of a trial.
import { el, icon } from './dom.js'
import { amount, byteUnits, countsBytes, joinBytes, splitBytes, title } from './format.js'
import { select, selectBox } from './forms.js'
import { badge, table } from './page.js'

const ORIGINS = {
  enforced: 'the appliance', trial: 'the trial', tenant: 'its own', plan: 'its plan', default: 'the default',
}

/**
 * `own` are the set `limits` and `features`; `effective` is what holds, where that is known.
 * The editor tells its `changes()` as a merge patch and its `values()` as a whole; `isChanged()`.
 */
export function limitsEditor({ catalogue, own, effective, prefix = '' }) {
  const columns = [{ name: 'Limit', kind: 'col-what' },
    ...(effective ? [{ name: 'In force', kind: 'col-force' }] : []),
    { name: effective ? 'Its own' : 'Value', kind: 'col-own' }]
  const limits = catalogue.limits.map((one) => limitRow(one, own.limits?.[one.name], prefix))
  const features = catalogue.features.map((one) => featureRow(one, own.features?.[one.name], prefix, effective))
  const limitTable = table('Limits', columns, 'table-limits')
  for (const row of limits) limitTable.add(...cells(row, effective?.limits, limitInForce))
  const featureTable = table('Features', [{ ...columns[0], name: 'Feature' }, ...columns.slice(1)], 'table-limits')
  for (const row of features) featureTable.add(...cells(row, effective?.features, featureInForce))
  const element = el('div', { class: 'limits stack' }, limitTable.element, featureTable.element)
  return {
    element,
    changes: () => present({ limits: changed(limits), features: changed(features) }),
    values: () => present({ limits: given(limits), features: given(features) }),
    isChanged: () => [...limits, ...features].some((row) => row.read() !== row.before),
  }
}

function cells(row, effective, words) {
  const what = el('div', {}, el('span', { class: 'what' }, title(row.name)), el('small', { class: 'hint' }, row.doc.replaceAll('`', '')))
  if (!effective) return [what, row.input]
  const one = effective.find((candidate) => candidate.name === row.name) ?? {}
  return [what, el('div', { class: 'force' }, words(one, row), origin(one.origin)), row.input]
}

const limitInForce = ({ value }, { name, unit }) =>
  value == null ? el('span', { class: 'faint' }, 'No limit') : el('strong', {}, amount(name, value, unit))

const featureInForce = ({ value }) => el('strong', { class: value ? '' : 'faint' }, value ? 'On' : 'Off')

const origin = (name) => name && badge(ORIGINS[name] ?? name, `origin-${name}`)

/** A limit with its field: a figure, or an amount of bytes with its unit. Empty means not set. */
function limitRow({ name, unit, doc }, value, prefix) {
  const label = title(name)
  const isBytes = countsBytes(name, unit)
  const [shown, shownUnit] = value == null ? ['', 'GB'] : isBytes ? splitBytes(value) : [String(value), '']
  const input = el('input', {
    class: 'input', type: 'number', min: '0', step: isBytes ? 'any' : '1', inputmode: 'decimal',
    autocomplete: 'off', placeholder: 'not set', 'aria-label': isBytes ? `${label}, amount` : label,
  })
  input.value = shown
  const units = isBytes && select('', byteUnits.map((one) => [one, one]), shownUnit, { 'aria-label': `${label}, unit` })
  const read = () => {
    if (input.value.trim() === '') return undefined
    return isBytes ? joinBytes(input.value, units.value) : Number(input.value)
  }
  const box = el('div', { class: `amount${isBytes ? ' amount-bytes' : ''}` }, input,
    units && selectBox(units), clearer(label, input))
  return { name, unit, doc, before: value, read, input: place(prefix, 'limits', name, box) }
}

function featureRow({ name, doc, default: usual }, value, prefix, effective) {
  const rest = effective || usual === undefined ? 'Not set' : `Not set (${usual ? 'on' : 'off'})`
  const input = select('', [['', rest], ['on', 'On'], ['off', 'Off']],
    value == null ? '' : value ? 'on' : 'off', { 'aria-label': title(name) })
  const read = () => (input.value === '' ? undefined : input.value === 'on')
  return { name, doc, before: value ?? undefined, read, input: place(prefix, 'features', name, selectBox(input)) }
}

const place = (prefix, kind, name, box) =>
  el('div', { class: 'stack-tight', 'data-field': `${prefix}${kind}.${name}` }, box)

function clearer(label, input) {
  const clear = el('button', {
    type: 'button', class: 'button button-quiet button-icon clear', 'aria-label': `Clear ${label}`,
    onclick: () => {
      input.value = ''
      input.focus()
    },
  }, icon('close'))
  return clear
}

const changed = (rows) => Object.fromEntries(rows
  .filter((row) => row.read() !== row.before).map((row) => [row.name, row.read() ?? null]))

const given = (rows) => Object.fromEntries(rows
  .filter((row) => row.read() !== undefined).map((row) => [row.name, row.read()]))

// Leaves out what is empty.
const present = (parts) =>
  Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0))
