// A few words over the DOM. No framework, no state.

/** An element: `el('p', { class: 'hint', onclick }, 'text', child)`. Text is never read as HTML. */
export function el(name, props = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false && value != null) element.setAttribute(key, value)
  }
  element.append(...children.flat().filter((child) => child != null && child !== false))
  return element
}

/** An icon of the sprite that stands in every page. */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(space, 'use')
  use.setAttribute('href', `#i-${name}`)
  svg.append(use)
  return svg
}

/** Says something to those who listen instead of look. */
export function announce(text) {
  const announcer = document.getElementById('announcer')
  if (announcer) announcer.textContent = text
}

/** Says something to everybody, for a moment. */
export function toast(text, sign = 'check') {
  const toasts = document.getElementById('toasts')
  const message = el('p', { class: 'toast' }, icon(sign), text)
  toasts?.replaceChildren(message)
  setTimeout(() => message.remove(), 3200)
}

/** Puts text on the clipboard; says whether that was allowed. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

// Pages that are not served over TLS have no clipboard API.
function copyBySelection(text) {
  const box = el('textarea', { class: 'visually-hidden', readonly: true, 'aria-hidden': 'true' })
  box.value = text
  const before = document.activeElement
  document.body.append(box)
  box.select()
  const copied = document.execCommand('copy')
  box.remove()
  before?.focus?.()
  return copied
}

export function report(error) {
  console.error(error)
}
