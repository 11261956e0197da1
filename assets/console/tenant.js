// One tenant: what it uses, what it may, where it lives, and what can be done about it.
import { at, catalogue, get, plans, post } from './api.js'
import { auditOf } from './audit.js'
import { el, renew, toast } from './dom.js'
import { moment } from './format.js'
import { badge, button, exactly, facts, pageHead, panel, siteLink, status, when } from './page.js'
import { refreshStatus } from './status.js'
import { hostsPanel } from './tenant-hosts.js'
import { lifeBanner, lifePanel } from './tenant-life.js'
import { peoplePanel, setupBanner } from './tenant-people.js'
import { limitsPanel, planPanel, rename } from './tenant-plan.js'
import { listAddress } from './tenants.js'
import { allBars } from './usage.js'

export async function tenant({ id, signal }) {
  const root = el('div', { class: 'wrap page' })
  const known = await Promise.all([catalogue(), plans(signal)])
  let limits

  // All actions come back to this: the page shows what the server says now, never what was hoped.
  async function refresh(words) {
    const [one, effective] = await Promise.all([
      get(at`/tenants/${id}`, {}, signal), get(at`/tenants/${id}/effective`, {}, signal),
    ])
    // Figures that somebody is writing are not thrown away because a hostname was added.
    if (!limits?.isChanged()) limits = limitsPanel({ one, effective, catalogue: known[0], refresh: afresh })
    const page = { one, effective, catalogue: known[0], plans: known[1], limits: limits.element, refresh }
    renew(root, ...parts(page, auditOf(id, signal)))
    if (!words) return
    toast(words)
    refreshStatus()
  }

  function afresh(words) {
    limits = undefined
    return refresh(words)
  }

  await refresh()
  return root
}

function parts(page, trail) {
  const { one } = page
  return [
    el('nav', { class: 'trail', 'aria-label': 'Where you are' }, el('a', { href: listAddress }, 'Tenants'), ' / ', one.id),
    head(page),
    lifeBanner(page),
    setupBanner(page),
    el('div', { class: 'halves' },
      usagePanel(page),
      el('div', { class: 'stack side' }, aboutPanel(page), hostsPanel(page), planPanel(page), peoplePanel(page),
        lifePanel(page)),
      el('div', { class: 'stack' }, page.limits, panel('audit', 'What happened', {}, trail))),
  ].filter(Boolean)
}

function head({ one }) {
  const heading = el('span', { class: 'with-state' }, one.name || one.id, status(one.status),
    one.trial && !one.trial.is_over && badge('on trial', 'origin-trial'))
  return pageHead(heading, one.url && siteLink(one.url, one.url.replace(/^https?:\/\//, '')))
}

function usagePanel({ one, refresh }) {
  const fresh = button('Refresh', async () => {
    await post(at`/tenants/${one.id}/stats/refresh`)
    await refresh('The figures are fresh')
  }, { sign: 'retry', kind: 'button-quiet button-small', id: 'refresh-stats' })
  const since = one.stats?.refreshed_at
  return panel('usage', 'Usage', { acts: [fresh] },
    allBars(one), el('p', { class: 'hint' }, since ? `Counted ${moment(since)}.` : 'Nothing was counted yet.'))
}

function aboutPanel({ one, refresh }) {
  return panel('about', 'About', {
    acts: [button('Rename', () => rename(one, refresh), { kind: 'button-quiet button-small', id: 'rename' })],
  }, facts([
    ['Id', el('code', {}, one.id)], ['Name', one.name], ['Created', when(one.created_at)],
    ['Changed', exactly(one.updated_at)],
    ...Object.entries(one.extra ?? {}).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  ]))
}
