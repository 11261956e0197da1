// The pieces that every view is put together from.
import { complain, el, icon } from './dom.js'
import { day, moment } from './format.js'

/** A button that does `run` once at a time and says what went wrong. */
export function button(label, run, { sign, kind = '', ...props } = {}) {
  let running = false
  const element = el('button', { type: 'button', class: `button ${kind}`.trim(), ...props },
    sign && icon(sign), label)
  element.addEventListener('click', async () => {
    if (running) return
    running = true
    element.setAttribute('aria-busy', 'true')
    try {
      await run(element)
    } catch (error) {
      complain(error)
    } finally {
      running = false
      element.removeAttribute('aria-busy')
    }
  })
  return element
}

/** A small button that is only a sign; its label is read out. */
export const signButton = (sign, label, run, props = {}) =>
  button(el('span', { class: 'visually-hidden' }, label), run,
    { sign, kind: 'button-quiet button-icon', title: label, ...props })

export const pageHead = (heading, ...acts) =>
  el('div', { class: 'page-head' },
    el('h1', { tabindex: '-1' }, heading), acts.length > 0 && el('div', { class: 'row' }, acts))

/** A part of a page under its own heading. */
export function panel(id, heading, { acts = [], lead } = {}, ...children) {
  return el('section', { class: 'panel card stack', 'aria-labelledby': id },
    el('div', { class: 'card-head' },
      el('h2', { id, tabindex: '-1' }, heading), el('div', { class: 'row' }, acts)),
    lead && el('p', { class: 'hint' }, lead),
    children)
}

/**
 * A table with its roles written out, so that it stays one where a narrow window lays it out as
 * cards. `columns` are `{ name, kind }`; each row is a list of cells in their order.
 */
export function table(caption, columns, kind = '') {
  const body = el('tbody', { role: 'rowgroup' })
  const element = el('table', { class: `table ${kind}`.trim(), role: 'table' },
    el('caption', { class: 'visually-hidden' }, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map((column) =>
      el('th', { role: 'columnheader', scope: 'col', class: column.kind },
        column.hidden ? el('span', { class: 'visually-hidden' }, column.name) : column.name)))),
    body)
  const add = (...cells) => {
    const row = el('tr', { role: 'row' }, cells.map((cell, index) =>
      el('td', { role: 'cell', class: columns[index].kind, 'data-name': columns[index].name }, cell)))
    body.append(row)
    return row
  }
  return { element, add, clear: () => body.replaceChildren() }
}

const WORDS = { active: 'Active', suspended: 'Suspended', deleting: 'Being deleted' }

export const status = (state) => el('span', { class: `state state-${state}` }, WORDS[state] ?? state)

export const badge = (words, kind = '') => el('span', { class: `badge ${kind}`.trim() }, words)

export const when = (text) => el('time', { datetime: text, title: moment(text) }, day(text))
export const exactly = (text) => el('time', { datetime: text }, moment(text))

/** A link to a site; only text where the address is not one of the web. */
export function siteLink(url, words) {
  if (!/^https?:\/\//.test(url ?? '')) return el('span', {}, words)
  return el('a', { href: url, target: '_blank', rel: 'noopener noreferrer', class: 'site-link' }, words)
}

/** Pairs of name and value. */
export const facts = (pairs) =>
  el('dl', { class: 'facts' }, pairs.filter(([, value]) => value != null && value !== '')
    .flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))

export const notice = (sign, kind, ...children) =>
  el('div', { class: `notice ${kind}`.trim() }, icon(sign), children)

export const empty = (heading, detail) =>
  el('div', { class: 'empty' }, el('h2', {}, heading), detail && el('p', {}, detail))

/** What a view shows that could not be made. */
export function failure(error, again) {
  const scope = error.code === 'missing_scope' || error.status === 403
  return el('div', { class: 'wrap page' },
    pageHead(scope ? 'Not with this key' : error.status === 404 ? 'Not here' : 'That did not work'),
    el('div', { class: 'notice notice-bad', role: 'alert' }, icon('alert'), el('span', {}, error.message)),
    el('p', { class: 'row spaced-above' },
      button('Try again', again), el('a', { class: 'button button-quiet', href: '#/tenants' }, 'All tenants')))
}
