// What a tenant may: its name, its plan, its trial, and limits of its own.
import { at, patch } from './api.js'
import { ask } from './dialog.js'
import { el } from './dom.js'
import { localTime, moment } from './format.js'
import { choice, field, onSend, text } from './forms.js'
import { limitsEditor } from './limits.js'
import { badge, button, panel } from './page.js'

export async function rename(one, refresh) {
  const sent = await ask({
    title: 'Rename the tenant', yes: 'Rename',
    fields: [field('Name', 'name', { value: one.name, required: true, autofocus: true })],
    send: (data) => patch(at`/tenants/${one.id}`, { name: text(data, 'name') }),
  })
  if (sent) await refresh('The tenant is renamed')
}

export function planPanel({ one, plans, catalogue, refresh }) {
  const plan = plans.find((candidate) => candidate.id === one.plan)
  const change = button('Change', () => changePlan(one, plans, refresh), { kind: 'button-quiet button-small', id: 'change-plan' })
  return panel('plan', 'Plan and trial', { acts: [change] },
    el('p', {}, one.plan ? el('strong', {}, plan?.name || one.plan) : el('span', { class: 'faint' }, 'No plan')),
    one.trial && trialWords(one.trial),
    el('div', { class: 'row' },
      button(one.trial ? 'Edit the trial' : 'Start a trial', () => editTrial(one, catalogue, refresh), { id: 'edit-trial' }),
      one.trial && button('End the trial', () => endTrial(one, refresh), { kind: 'button-quiet', id: 'end-trial' })))
}

const trialWords = (trial) => el('p', { class: 'row' }, badge('trial', 'origin-trial'),
  `${trial.is_over ? 'Over since' : 'Until'} ${moment(trial.ends_at)}`)

async function changePlan(one, plans, refresh) {
  const sent = await ask({
    title: 'Change the plan', yes: 'Change',
    intro: 'The limits of the new plan hold at once. What is stored already stays.',
    fields: [choice('Plan', 'plan', [['', 'None'], ...plans.map((plan) => [plan.id, plan.name || plan.id])], { value: one.plan })],
    send: (data) => patch(at`/tenants/${one.id}`, { plan: text(data, 'plan') ?? null }),
  })
  if (sent) await refresh('The plan is changed')
}

async function editTrial(one, catalogue, refresh) {
  const editor = limitsEditor({ catalogue, own: one.trial ?? {}, prefix: 'trial.' })
  const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000).toISOString()
  const sent = await ask({
    title: one.trial ? 'Edit the trial' : 'Start a trial', yes: 'Save', wide: true,
    intro: 'What is set here goes before the plan and the tenant’s own limits, until the trial ends.',
    fields: [
      field('Ends at', 'trial.ends_at', {
        type: 'datetime-local', required: true, value: localTime(one.trial?.ends_at ?? inTwoWeeks), autofocus: true,
      }),
      editor.element,
    ],
    send: (data) => patch(at`/tenants/${one.id}`, {
      trial: { ends_at: new Date(data.get('trial.ends_at')).toISOString(), ...editor.changes() },
    }),
  })
  if (sent) await refresh('The trial is saved')
}

async function endTrial(one, refresh) {
  const sent = await ask({
    title: 'End the trial?', yes: 'End it', danger: true,
    intro: 'The plan and the tenant’s own limits hold from now on.',
    send: () => patch(at`/tenants/${one.id}`, { trial: null }),
  })
  if (sent) await refresh('The trial is ended')
}

/** Every limit and feature with what holds and why, and a field to set the tenant's own. */
export function limitsPanel({ one, effective, catalogue, refresh }) {
  const editor = limitsEditor({ catalogue, own: one, effective })
  // The way to save stays in sight while there is something to save.
  const mark = () => form.classList.toggle('is-changed', editor.isChanged())
  const form = el('form', { class: 'stack', oninput: mark, onclick: mark },
    el('div', { 'data-problem': true }),
    editor.element,
    el('div', { class: 'row save-row' },
      el('button', { class: 'button button-main', id: 'save-limits' }, 'Save limits'),
      button('Discard', () => refresh(), { kind: 'button-quiet', id: 'discard-limits' })))
  onSend(form, async () => {
    if (editor.isChanged()) await patch(at`/tenants/${one.id}`, editor.changes())
    await refresh('The limits are saved')
  })
  const element = panel('limits', 'Limits and features', {
    lead: 'What is set here goes before the plan. An empty field leaves it to the plan.',
  }, form)
  return { element, isChanged: editor.isChanged }
}
