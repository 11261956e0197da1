// What a tenant uses, against what it may use.
import { el } from './dom.js'
import { amount, title } from './format.js'

// From these parts of a limit on, the bar says so by its colour.
const NEAR = 0.8
const FULL = 1

/** One figure; with a bar below it where there is a limit. */
export function bar({ limit, used, allowed }, { named = false } = {}) {
  const limited = allowed != null
  const name = title(limit)
  const words = [el('strong', {}, amount(limit, used)),
    limited ? ` of ${amount(limit, allowed)}` : el('span', { class: 'faint' }, named ? ', no limit' : '')]
  return el('div', { class: 'use' },
    named && el('span', { class: 'use-name' }, name),
    el('span', { class: 'use-words' }, words),
    limited && track(name, limit, used, allowed))
}

function track(name, limit, used, allowed) {
  const part = allowed > 0 ? used / allowed : 1
  const fill = el('span', { class: 'track-fill' })
  fill.style.inlineSize = `${Math.min(100, part * 100)}%`
  const state = part >= FULL ? 'full' : part >= NEAR ? 'near' : 'fine'
  return el('span', {
    class: `track track-${state}`, role: 'meter', 'aria-label': name,
    'aria-valuemin': '0', 'aria-valuemax': String(allowed), 'aria-valuenow': String(Math.min(used, allowed)),
    'aria-valuetext': `${amount(limit, used)} of ${amount(limit, allowed)}`,
  }, fill)
}

/** The figure of one limit out of a tenant's list. */
export function figure(tenant, name) {
  const found = tenant.usage?.find((one) => one.limit.replace(/^max_/, '') === name)
  return found ? bar(found) : el('span', { class: 'faint' }, '–')
}

export const allBars = (tenant) =>
  el('div', { class: 'uses' }, (tenant.usage ?? []).map((one) => bar(one, { named: true })))
