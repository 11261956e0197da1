// The plans: listed, made, changed, deleted.
import { at, catalogue, get, patch, post, remove } from './api.js'
import { ask } from './dialog.js'
import { el, renew, toast } from './dom.js'
import { amount, number, title } from './format.js'
import { field, text } from './forms.js'
import { limitsEditor } from './limits.js'
import { badge, button, empty, pageHead, signButton, table } from './page.js'

const COLUMNS = [{ name: 'Plan', kind: 'col-name' }, { name: 'Limits', kind: 'col-much' },
  { name: 'Features', kind: 'col-some' }, { name: 'Tenants', kind: 'col-figure' },
  { name: 'Actions', kind: 'col-acts', hidden: true }]

export async function plansPage({ signal }) {
  const root = el('div', { class: 'wrap page' })

  async function refresh(words) {
    const [{ items }, known] = await Promise.all([get('/plans', {}, signal), catalogue()])
    const add = button('New plan', () => newPlan(known, refresh), { sign: 'plus', kind: 'button-main', id: 'new-plan' })
    renew(root, pageHead('Plans', add), items.length
      ? planTable(items, known, refresh)
      : empty('There are no plans', 'A plan names limits and features that many tenants share.'))
    if (words) toast(words)
  }

  await refresh()
  return root
}

function planTable(items, known, refresh) {
  const rows = table('Plans', COLUMNS, 'table-plans')
  for (const plan of items) {
    rows.add(
      el('div', { class: 'who' }, el('strong', {}, plan.name || plan.id), el('span', { class: 'id' }, plan.id)),
      limitWords(plan, known), featureWords(plan),
      el('a', { href: `#/tenants?plan=${encodeURIComponent(plan.id)}` }, number(plan.tenants ?? 0)),
      el('span', { class: 'item-acts' },
        signButton('edit', `Edit ${plan.name || plan.id}`, () => editPlan(plan, known, refresh), { id: `edit-${plan.id}` }),
        signButton('trash', `Delete ${plan.name || plan.id}`, () => deletePlan(plan, refresh), { id: `delete-${plan.id}` })))
  }
  return rows.element
}

function limitWords(plan, known) {
  const set = known.limits.filter(({ name }) => plan.limits[name] != null)
  if (!set.length) return el('span', { class: 'faint' }, 'No limits')
  return el('ul', { class: 'pairs' }, set.map(({ name, unit }) =>
    el('li', {}, el('span', { class: 'faint' }, title(name)), ' ', amount(name, plan.limits[name], unit))))
}

function featureWords(plan) {
  const set = Object.entries(plan.features)
  if (!set.length) return el('span', { class: 'faint' }, 'As usual')
  return el('span', { class: 'row' }, set.map(([name, on]) =>
    badge(`${title(name)}: ${on ? 'on' : 'off'}`, on ? 'origin-tenant' : '')))
}

const words = (plan = {}) => [
  el('div', { class: 'pair' },
    !plan.id && field('Id', 'id', {
      required: true, spellcheck: 'false', autocapitalize: 'none', placeholder: 'studio', hint: 'It never changes.',
    }),
    field('Name', 'name', { value: plan.name, placeholder: 'Studio' }),
    field('Address to upgrade', 'upgrade_url', {
      type: 'url', value: plan.upgrade_url, placeholder: 'https://', hint: 'Shown to those who reach a limit.',
    })),
]

async function newPlan(known, refresh) {
  const editor = limitsEditor({ catalogue: known, own: {} })
  let name
  const sent = await ask({
    title: 'New plan', yes: 'Create the plan', wide: true, fields: [...words(), editor.element],
    send: (data) => {
      name = text(data, 'name') ?? text(data, 'id')
      return post('/plans', {
        id: text(data, 'id'), name: text(data, 'name'), upgrade_url: text(data, 'upgrade_url'), ...editor.values(),
      })
    },
  })
  if (sent) await refresh(`The plan ${name} is there`)
}

async function editPlan(plan, known, refresh) {
  const editor = limitsEditor({ catalogue: known, own: plan })
  const sent = await ask({
    title: `Edit ${plan.name || plan.id}`, yes: 'Save', wide: true,
    intro: plan.tenants ? `Changes hold at once for ${number(plan.tenants)} tenants.` : undefined,
    fields: [...words(plan), editor.element],
    send: (data) => patch(at`/plans/${plan.id}`, {
      name: text(data, 'name') ?? null, upgrade_url: text(data, 'upgrade_url') ?? null, ...editor.changes(),
    }),
  })
  if (sent) await refresh('The plan is saved')
}

async function deletePlan(plan, refresh) {
  const sent = await ask({
    title: `Delete ${plan.name || plan.id}?`, yes: 'Delete', danger: true,
    intro: 'A plan can be deleted when no tenant is on it.',
    send: () => remove(at`/plans/${plan.id}`),
  })
  if (sent) await refresh('The plan is deleted')
}
