// The hostnames of a tenant: added, made canonical, taken away.
import { at, patch, post, remove } from './api.js'
import { ask } from './dialog.js'
import { el } from './dom.js'
import { check, field, text } from './forms.js'
import { badge, button, panel, signButton } from './page.js'

export function hostsPanel({ one, refresh }) {
  const add = button('Add', () => addHost(one, refresh), { sign: 'plus', kind: 'button-quiet button-small', id: 'add-host' })
  return panel('hosts', 'Hostnames', { acts: [add] },
    one.hostnames.length
      ? el('ul', { class: 'items' }, one.hostnames.map((host) => hostRow(one, host, refresh)))
      : el('p', { class: 'hint' }, 'No hostname leads to this tenant.'))
}

function hostRow(one, { host, is_canonical: isCanonical }, refresh) {
  const path = at`/tenants/${one.id}/hostnames/${host}`
  const choose = !isCanonical && button('Make canonical', async () => {
    await patch(path, { is_canonical: true })
    await refresh(`${host} is the canonical hostname`)
  }, { kind: 'button-quiet button-small', id: `canonical-${host}`, 'aria-label': `Make canonical: ${host}` })
  const away = signButton('trash', `Remove ${host}`, async () => {
    const sent = await ask({
      title: `Remove ${host}?`, intro: 'Visitors of this hostname will no longer find the site.',
      yes: 'Remove', danger: true, send: () => remove(path),
    })
    if (sent) await refresh(`${host} is removed`)
  }, { id: `remove-${host}` })
  return el('li', { class: 'item' },
    el('span', { class: 'item-name' }, host), isCanonical && badge('canonical'),
    el('span', { class: 'item-acts' }, choose, away))
}

async function addHost(one, refresh) {
  let host
  const sent = await ask({
    title: 'Add a hostname', yes: 'Add',
    fields: [
      field('Hostname', 'host', {
        required: true, spellcheck: 'false', autocapitalize: 'none', placeholder: 'pictures.example.org', autofocus: true,
        hint: 'Its DNS record has to point at this appliance.',
      }),
      one.hostnames.length > 0 && check('Make it the canonical one, which all links use', 'is_canonical'),
    ].filter(Boolean),
    send: (data) => {
      host = text(data, 'host')
      return post(at`/tenants/${one.id}/hostnames`, { host, is_canonical: data.has('is_canonical') || undefined })
    },
  })
  if (sent) await refresh(`${host} is added`)
}
