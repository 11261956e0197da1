// The operator keys: listed, made, revoked.
import { at, fieldProblem, get, post, remove } from './api.js'
import { ask, reveal } from './dialog.js'
import { el, renew, toast } from './dom.js'
import { area, check, field, lines, text } from './forms.js'
import { badge, button, empty, exactly, pageHead, table, when } from './page.js'

const SCOPES = [['tenants:read', 'See tenants and their figures'], ['tenants:write', 'Create, change and delete tenants'],
  ['plans:write', 'Create, change and delete plans'], ['support', 'Reset passwords and make login links'],
  ['keys', 'Make and revoke keys'], ['audit:read', 'Read the audit log']]
const COLUMNS = [{ name: 'Key', kind: 'col-name' }, { name: 'Scopes', kind: 'col-much' },
  { name: 'Networks', kind: 'col-some' }, { name: 'Last used', kind: 'col-time' },
  { name: 'Expires', kind: 'col-time' }, { name: 'Actions', kind: 'col-acts', hidden: true }]

export async function keys({ signal }) {
  const root = el('div', { class: 'wrap page' })

  async function refresh(words) {
    const { items } = await get('/keys', {}, signal)
    const add = button('New key', () => newKey(refresh), { sign: 'plus', kind: 'button-main', id: 'new-key' })
    renew(root, pageHead('Operator keys', add),
      items.length ? keyTable(items, refresh) : empty('There are no keys'))
    if (words) toast(words)
  }

  await refresh()
  return root
}

function keyTable(items, refresh) {
  const rows = table('Operator keys', COLUMNS, 'table-keys')
  for (const key of items) {
    rows.add(
      el('div', { class: 'who' }, el('strong', {}, key.name), el('span', { class: 'id' }, 'made ', when(key.created_at))),
      el('span', { class: 'row' }, (key.scopes ?? []).map((scope) => badge(scope))),
      key.networks?.length ? key.networks.join(', ') : el('span', { class: 'faint' }, 'anywhere'),
      key.last_used_at ? exactly(key.last_used_at) : el('span', { class: 'faint' }, 'never'),
      key.expires_at ? exactly(key.expires_at) : el('span', { class: 'faint' }, 'never'),
      button('Revoke', () => revoke(key, refresh), {
        kind: 'button-danger button-small', id: `revoke-${key.id}`, 'aria-label': `Revoke ${key.name}`,
      }))
  }
  return rows.element
}

async function newKey(refresh) {
  let made
  const sent = await ask({
    title: 'New operator key', yes: 'Create the key',
    fields: [
      field('Name', 'name', { required: true, placeholder: 'Billing', autofocus: true }),
      el('fieldset', { class: 'field', 'data-field': 'scopes' }, el('legend', {}, 'What it may do'),
        SCOPES.map(([scope, hint]) => check(scope, 'scopes', { value: scope, hint, checked: scope === 'tenants:read' }))),
      area('Networks', 'networks', {
        rows: '2', spellcheck: 'false', placeholder: '10.0.0.0/8', hint: 'From where it is taken, one a line. Empty: from anywhere.',
      }),
      field('Expires', 'expires_at', { type: 'datetime-local', hint: 'Never, if left empty.' }),
    ],
    send: async (data) => {
      const scopes = data.getAll('scopes')
      if (!scopes.length) throw fieldProblem('scopes', 'Choose at least one.')
      const expires = text(data, 'expires_at')
      made = await post('/keys', {
        name: text(data, 'name'), scopes, networks: lines(data, 'networks'),
        expires_at: expires && new Date(expires).toISOString(),
      })
    },
  })
  if (!sent) return
  await reveal({
    title: `The key ${made.name}`, label: 'The new operator key', secret: made.key,
    intro: 'Copy it now. It is shown this once and kept only as a fingerprint.',
  })
  await refresh('The key is made')
}

async function revoke(key, refresh) {
  const sent = await ask({
    title: `Revoke ${key.name}?`, yes: 'Revoke', danger: true,
    intro: 'Whatever uses this key is refused from now on. If you are signed in with it, you are signed out.',
    send: () => remove(at`/keys/${key.id}`),
  })
  if (sent) await refresh('The key is revoked')
}
