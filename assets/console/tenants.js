// The list of tenants: searched, filtered, and a page at a time.
import { get, plans, post } from './api.js'
import { announce, complain, el, toast } from './dom.js'
import { number } from './format.js'
import { select, selectBox } from './forms.js'
import { newTenant } from './new-tenant.js'
import { badge, button, empty, pageHead, siteLink, status, table } from './page.js'
import { figure } from './usage.js'

const PAGE = 50
const PAUSE = 250
const STATES = [['', 'Every status'], ['active', 'Active'], ['suspended', 'Suspended'], ['deleting', 'Being deleted']]
const COLUMNS = [{ name: 'Tenant', kind: 'col-name' }, { name: 'Address', kind: 'col-host' },
  { name: 'Status', kind: 'col-state' }, { name: 'Plan', kind: 'col-plan' },
  { name: 'Files', kind: 'col-use' }, { name: 'Stored', kind: 'col-use' }]

/** Where the list was last seen, filters and all: the way back from a tenant. */
export let listAddress = '#/tenants'

export async function tenants({ query, signal }) {
  const known = await plans(signal)
  const list = tenantList(signal)
  const filters = filterBar(query, known, (chosen) => {
    // A pause in typing may end after the list was left.
    if (signal.aborted) return
    remember(chosen)
    list.load(chosen).catch(complain)
  })
  remember(filters.chosen())
  await list.load(filters.chosen())
  return el('div', { class: 'wrap page' },
    pageHead('Tenants',
      button('Refresh figures', refreshAll, { sign: 'retry', kind: 'button-quiet', id: 'refresh-all' }),
      button('New tenant', () => newTenant(known), { sign: 'plus', kind: 'button-main', id: 'new-tenant' })),
    filters.element, list.element)

  async function refreshAll() {
    const { refreshed, failed } = await post('/stats/refresh')
    const words = `Figures of ${number(refreshed)} tenants are fresh`
    if (failed?.length) toast(`${words}; ${failed.map((one) => one.tenant).join(', ')} failed.`, 'alert')
    else toast(words)
    await list.load(filters.chosen())
  }
}

// The address carries the filters, so that a reload and a bookmark show the same list.
function remember(chosen) {
  const search = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value))
  listAddress = search.size ? `#/tenants?${search}` : '#/tenants'
  history.replaceState(null, '', listAddress)
}

function filterBar(query, known, onChange) {
  const search = el('input', {
    class: 'input', type: 'search', placeholder: 'Search by id, name or hostname', autocomplete: 'off',
    spellcheck: 'false', 'aria-label': 'Search tenants',
  })
  search.value = query.get('q') ?? ''
  const state = select('status', STATES, query.get('status'), { 'aria-label': 'Status' })
  const plan = select('plan', [['', 'Every plan'], ...known.map((one) => [one.id, one.name || one.id])],
    query.get('plan'), { 'aria-label': 'Plan' })
  const chosen = () => ({ q: search.value.trim(), status: state.value, plan: plan.value })
  let waiting
  search.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(() => onChange(chosen()), PAUSE)
  })
  for (const input of [state, plan]) input.addEventListener('change', () => onChange(chosen()))
  const element = el('search', { class: 'filters' },
    search, selectBox(state), selectBox(plan))
  return { element, chosen }
}

function tenantList(signal) {
  const rows = table('Tenants', COLUMNS, 'table-tenants')
  const below = el('div', { class: 'list-end' })
  const element = el('div', { class: 'stack' }, rows.element, below)
  let turn = 0
  let shown = 0

  async function load(chosen, after) {
    const mine = ++turn
    element.setAttribute('aria-busy', 'true')
    try {
      const answer = await get('/tenants', { ...chosen, limit: PAGE, after }, signal)
      // Only the newest question may answer.
      if (mine === turn) show(chosen, answer, after)
    } finally {
      if (mine === turn) element.removeAttribute('aria-busy')
    }
  }

  function show(chosen, { items, next }, after) {
    if (!after) rows.clear()
    shown = (after ? shown : 0) + items.length
    const added = items.map((tenant) => tenantRow(rows, tenant))
    rows.element.hidden = shown === 0
    const words = `${number(shown)} ${shown === 1 ? 'tenant' : 'tenants'}${next ? ' so far' : ''}`
    below.replaceChildren(shown ? el('p', { class: 'hint' }, words) : nothing(chosen))
    if (next) below.append(button('Load more', () => load(chosen, next), { id: 'load-more' }))
    announce(shown ? words : 'No tenant matches')
    if (after) added[0]?.querySelector('a').focus()
  }

  return { element, load }
}

const nothing = (chosen) => (Object.values(chosen).some(Boolean)
  ? empty('No tenant matches', 'Try fewer words, or another status or plan.')
  : empty('There are no tenants yet', 'Create the first one.'))

function tenantRow(rows, tenant) {
  const host = tenant.hostnames.find((one) => one.is_canonical)?.host ?? tenant.hostnames[0]?.host
  const row = rows.add(
    el('div', { class: 'who' },
      el('a', { href: `#/tenants/${encodeURIComponent(tenant.id)}` }, tenant.name || tenant.id),
      el('span', { class: 'id' }, tenant.id)),
    host ? siteLink(tenant.url, host) : el('span', { class: 'faint' }, 'no hostname'),
    status(tenant.status),
    el('span', { class: 'row' }, tenant.plan ?? el('span', { class: 'faint' }, 'none'),
      tenant.trial && !tenant.trial.is_over && badge('trial', 'origin-trial')),
    figure(tenant, 'files'), figure(tenant, 'bytes_stored'))
  row.dataset.tenant = tenant.id
  return row
}
