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

export function icon(name) {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(space, 'use')
  use.setAttribute('href', `/console/icons.svg#i-${name}`)
  svg.append(use)
  return svg
}

let ids = 0

/** An id that no other element of the page has. */
export const freshId = (stem) => `${stem}-${++ids}`

/** Says something to those who listen instead of look. */
export function announce(text) {
  document.getElementById('announcer').textContent = text
}

/** Says something to everybody, for a moment; what went wrong stays longer. */
export function toast(text, sign = 'check') {
  const message = el('p', { class: 'toast' }, icon(sign), el('span', {}, text))
  document.getElementById('toasts').replaceChildren(message)
  setTimeout(() => message.remove(), sign === 'alert' ? 9000 : 3600)
}

/** Says that something did not work, unless it was only left behind. */
export function complain(error) {
  if (error.name === 'AbortError') return
  if (error.status === undefined) console.error(error)
  toast(error.message, 'alert')
}

/** Puts text on the clipboard; says whether that was allowed. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** Makes the content anew and keeps the focus on what has the same id, or else on the heading. */
export function renew(root, ...children) {
  const before = document.activeElement
  const had = root.contains(before) || before === document.body
  root.replaceChildren(...children)
  if (!had || root.contains(document.activeElement)) return
  const next = (before.id && document.getElementById(before.id)) || root.querySelector('h1, h2')
  next?.focus({ preventScroll: true })
}
