// What was done by operators, newest first: for all tenants, or for one.
import { allowed, get } from './api.js'
import { announce, complain, el } from './dom.js'
import { number } from './format.js'
import { badge, button, empty, exactly, pageHead, table } from './page.js'

const COLUMNS = [{ name: 'When', kind: 'col-time' }, { name: 'What', kind: 'col-act' },
  { name: 'Tenant', kind: 'col-tenant' }, { name: 'Detail', kind: 'col-much' },
  { name: 'Who', kind: 'col-some' }]

export async function audit({ query, signal }) {
  const tenant = query.get('tenant') ?? undefined
  const list = auditList({ tenant, signal, limit: 50 })
  await list.load()
  return el('div', { class: 'wrap page' },
    pageHead(tenant ? `Audit of ${tenant}` : 'Audit',
      tenant && el('a', { class: 'button button-quiet', href: '#/audit' }, 'All tenants')),
    list.element)
}

/** The latest entries of one tenant. It fills itself when they are there. */
export function auditOf(tenant, signal) {
  const list = auditList({ tenant, signal, limit: 10 })
  allowed(list.load().then(() => true), false).then((may) => {
    if (!may) list.element.replaceChildren(el('p', { class: 'hint' }, 'This key may not read the audit log.'))
  }).catch(complain)
  return list.element
}

function auditList({ tenant, signal, limit }) {
  const rows = table('Audit log', tenant ? COLUMNS.filter(({ name }) => name !== 'Tenant') : COLUMNS, 'table-audit')
  const below = el('div', { class: 'list-end' })
  const element = el('div', { class: 'stack' }, rows.element, below)
  let shown = 0

  async function load(after) {
    const { items, next } = await get('/audit', { tenant, limit, after }, signal)
    shown += items.length
    for (const entry of items) rows.add(...entryCells(entry, tenant))
    rows.element.hidden = shown === 0
    below.replaceChildren(shown ? '' : tenant ? el('p', { class: 'hint' }, 'Nothing yet.') : empty('Nothing happened yet'))
    if (next) below.append(button('Load more', () => load(next), { kind: tenant ? 'button-small' : '' }))
    if (!after) return
    announce(`${number(shown)} entries`)
    below.querySelector('button')?.focus()
  }

  return { element, load }
}

function entryCells({ at, action, tenant, detail, actor, address }, one) {
  return [
    exactly(at), badge(action),
    ...(one ? [] : [tenant ? el('a', { href: `#/tenants/${encodeURIComponent(tenant)}` }, tenant) : '']),
    detailWords(detail),
    el('span', {}, actor, address && el('span', { class: 'id' }, address)),
  ]
}

function detailWords(detail) {
  const pairs = Object.entries(detail ?? {}).filter(([, value]) => value != null)
  return pairs.length ? el('ul', { class: 'pairs' }, pairs.map(([name, value]) =>
    el('li', {}, el('span', { class: 'faint' }, name), ' ', typeof value === 'object' ? JSON.stringify(value) : String(value)))) : ''
}
