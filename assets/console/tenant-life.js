// Suspending, resuming and deleting a tenant.
import { at, fieldProblem, post, remove } from './api.js'
import { ask } from './dialog.js'
import { el, toast } from './dom.js'
import { moment } from './format.js'
import { area, check, field, text } from './forms.js'
import { button, notice, panel } from './page.js'
import { refreshStatus } from './status.js'
import { listAddress } from './tenants.js'

/** Says that the tenant is not as usual, and how to bring it back; nothing for an active one. */
export function lifeBanner({ one, refresh }) {
  if (one.status === 'suspended') {
    return notice('lock', 'notice-warn',
      el('p', {}, el('strong', {}, 'Suspended. '), one.reason ?? 'No reason was given.'),
      button('Resume', () => resume(one, refresh), { id: 'resume' }))
  }
  if (one.status !== 'deleting') return null
  const until = one.delete_after
    ? `All of it is deleted after ${moment(one.delete_after)}. Until then it can be taken back.`
    : 'All of it is about to be deleted.'
  return notice('trash', 'notice-bad',
    el('p', {}, el('strong', {}, 'Being deleted. '), until),
    button('Take the deletion back', () => resume(one, refresh), { id: 'resume' }))
}

export function lifePanel(page) {
  const { one, refresh } = page
  const acts = [
    one.status === 'active' && button('Suspend', () => suspend(one, refresh), { sign: 'lock', id: 'suspend' }),
    button(one.status === 'deleting' ? 'Delete at once' : 'Delete', () => destroy(one, refresh),
      { sign: 'trash', kind: 'button-danger', id: 'delete' }),
  ].filter(Boolean)
  return panel('life', 'Suspend or delete', {
    lead: 'A suspended site answers nobody and loses nothing. A deleted one can be taken back for a while.',
  }, el('div', { class: 'row' }, acts))
}

async function resume(one, refresh) {
  await post(at`/tenants/${one.id}/resume`)
  await refresh(`${one.id} is active again`)
}

async function suspend(one, refresh) {
  const sent = await ask({
    title: `Suspend ${one.name || one.id}?`, yes: 'Suspend', danger: true,
    intro: 'The site stops answering until it is resumed. Nothing is lost.',
    fields: [area('Reason', 'reason', { required: true, rows: '3', autofocus: true, hint: 'It stands in the audit log.' })],
    send: (data) => post(at`/tenants/${one.id}/suspend`, { reason: text(data, 'reason') ?? '' }),
  })
  if (sent) await refresh(`${one.id} is suspended`)
}

async function destroy(one, refresh) {
  const again = one.status === 'deleting'
  let now = again
  const sent = await ask({
    title: `Delete ${one.name || one.id}?`, yes: again ? 'Delete at once' : 'Delete', danger: true,
    intro: again
      ? 'All pictures, people and settings of this tenant are gone at once. This cannot be taken back.'
      : 'All pictures, people and settings of this tenant will be deleted. Until the period of grace is over, it can be taken back.',
    fields: [
      field(`Type ${one.id} to confirm`, 'confirmation', {
        required: true, spellcheck: 'false', autocapitalize: 'none', autofocus: true,
      }),
      !again && check('Delete at once, with no way back', 'now'),
    ].filter(Boolean),
    send: async (data) => {
      if (text(data, 'confirmation') !== one.id) throw fieldProblem('confirmation', `This is not ${one.id}.`)
      now = again || data.has('now')
      await remove(at`/tenants/${one.id}`, now ? { now: true } : {})
    },
  })
  if (!sent) return
  if (!now) return refresh(`${one.id} is going to be deleted`)
  toast(`${one.id} is deleted`)
  refreshStatus()
  location.hash = listAddress
}
