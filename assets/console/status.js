// The status line: how the appliance is, at a glance.
import { get } from './api.js'
import { el } from './dom.js'
import { number } from './format.js'

const REDIS = { off: 'Redis is not used', up: 'Redis answers', down: 'Redis does not answer' }

/** Asks for the status anew. What cannot be known is left out; the views say what is wrong. */
export async function refreshStatus() {
  const row = document.getElementById('status')
  try {
    show(row, await get('/status'))
  } catch {
    row.replaceChildren(el('span', {}, 'The status is not known'))
  }
}

function show(row, { version, tenants, open_tenants: open, redis, ffmpeg }) {
  const counts = [`${number(tenants.active)} active`,
    tenants.suspended && `${number(tenants.suspended)} suspended`,
    tenants.deleting && `${number(tenants.deleting)} being deleted`].filter(Boolean).join(', ')
  row.replaceChildren(
    el('span', {}, `Vitrina ${version}`),
    el('span', {}, `Tenants: ${counts}`),
    el('span', {}, `${number(open)} open`),
    el('span', { class: redis === 'down' ? 'is-bad' : '' }, REDIS[redis] ?? `Redis: ${redis}`),
    el('span', {}, ffmpeg === 'found' ? 'Films are worked on' : `No posters of films: ${ffmpeg}`))
}
