// Fields with their labels, and the server's complaints beside the fields they are about.
import { el, freshId, icon } from './dom.js'

/** A field: label, input, hint and room for a complaint. `props` go to the input. */
export function field(label, name, { hint, value, ...props } = {}) {
  const input = el('input', { class: 'input', autocomplete: 'off', ...props, name })
  if (value != null) input.value = value
  return frame(label, name, input, hint)
}

export function area(label, name, { hint, value, ...props } = {}) {
  const input = el('textarea', { class: 'input', autocomplete: 'off', ...props, name })
  input.value = value ?? ''
  return frame(label, name, input, hint)
}

/** A choice: `options` are pairs of value and words. */
export function choice(label, name, options, { hint, value, ...props } = {}) {
  return frame(label, name, select(name, options, value, props), hint)
}

function frame(label, name, input, hint) {
  input.id = freshId('field')
  const box = input.tagName === 'SELECT' ? selectBox(input) : input
  return el('div', { class: 'field', 'data-field': name },
    el('label', { for: input.id }, label), box,
    hint && describe(input, el('p', { class: 'hint' }, hint)))
}

/** A bare select with the one option chosen. */
export function select(name, options, value = '', props = {}) {
  const input = el('select', { class: 'select', ...props, name },
    options.map(([key, words]) => el('option', { value: key }, words)))
  input.value = value ?? ''
  // A value the console does not know stays as it is.
  if (input.value !== (value ?? '')) {
    input.append(el('option', { value }, value))
    input.value = value
  }
  return input
}

export const selectBox = (input) => el('span', { class: 'select-box' }, input, icon('down'))

export function check(label, name, { value = 'true', checked, hint } = {}) {
  const input = el('input', { type: 'checkbox', name, value, checked })
  return el('label', { class: 'check' }, input, el('span', {}, label, hint && el('small', { class: 'hint' }, hint)))
}

function describe(input, note) {
  note.id = freshId('note')
  const before = input.getAttribute('aria-describedby')
  input.setAttribute('aria-describedby', before ? `${before} ${note.id}` : note.id)
  return note
}

/** Takes away what was said about the last attempt. */
export function clearProblem(form) {
  for (const note of form.querySelectorAll('[data-complaint]')) note.remove()
  for (const input of form.querySelectorAll('[aria-invalid]')) {
    input.removeAttribute('aria-invalid')
    const kept = (input.getAttribute('aria-describedby') ?? '').split(' ')
      .filter((id) => id && document.getElementById(id))
    if (kept.length) input.setAttribute('aria-describedby', kept.join(' '))
    else input.removeAttribute('aria-describedby')
  }
}

/** Says what is wrong beside the fields it is about, or at the head of the form. */
export function showProblem(form, error) {
  clearProblem(form)
  const about = aboutFields(form, error)
  const left = about.filter((one) => !besideField(form, one))
  const general = about.length ? left.map((one) => `${one.field}: ${one.message}`) : [error.message]
  if (general.length) {
    form.querySelector('[data-problem]')?.append(
      el('div', { class: 'notice notice-bad', role: 'alert', 'data-complaint': true },
        icon('alert'), el('span', {}, general.join(' '))))
  }
  const first = form.querySelector('[aria-invalid]')
  first?.closest('details')?.setAttribute('open', '')
  first?.focus()
}

// A conflict names no field, but its code tells which one is meant.
const MEANT = { tenant_exists: ['id'], plan_exists: ['id'], hostname_taken: ['host', 'hostnames'] }

function aboutFields(form, error) {
  if (error.fields?.length) return error.fields
  const field = MEANT[error.code]?.find((name) => placeOf(form, name))
  return field ? [{ field, message: error.message }] : []
}

function besideField(form, { field: name, message }) {
  const place = placeOf(form, name)
  const input = place?.querySelector('input, select, textarea')
  if (!input) return false
  input.setAttribute('aria-invalid', 'true')
  const note = el('p', { class: 'error', role: 'alert', 'data-complaint': true }, message)
  place.append(describe(input, note))
  return true
}

// `limits.max_users`, `/limits/max_users` and `hostnames[0]` all find their field.
function placeOf(form, name) {
  const path = name.replace(/^\//, '').replaceAll('/', '.')
  const tries = [path, path.split(/[.[]/)[0], path.split('.').at(-1)]
  const places = [...form.querySelectorAll('[data-field]')]
  for (const one of tries) {
    const place = places.find((candidate) => candidate.dataset.field === one)
    if (place) return place
  }
}

/** Sends a form once at a time and shows what the server says against it. */
export function onSend(form, send) {
  let sending = false
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (sending) return
    sending = true
    form.setAttribute('aria-busy', 'true')
    clearProblem(form)
    try {
      await send(new FormData(form))
    } catch (error) {
      if (error.name === 'AbortError') return
      if (error.status === undefined) console.error(error)
      showProblem(form, error)
    } finally {
      sending = false
      form.removeAttribute('aria-busy')
    }
  })
}

/** The text of a field, or undefined where there is none. */
export const text = (data, name) => String(data.get(name) ?? '').trim() || undefined

/** The lines of a field, or the words between commas. */
export const lines = (data, name) => String(data.get(name) ?? '').split(/[\s,]+/).filter(Boolean)
