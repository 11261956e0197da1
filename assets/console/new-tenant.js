// The dialog that creates a tenant.
import { catalogue, post } from './api.js'
import { ask } from './dialog.js'
import { el, toast } from './dom.js'
import { area, choice, field, lines, text } from './forms.js'
import { limitsEditor } from './limits.js'

/** Creates a tenant and goes to it. */
export async function newTenant(plans) {
  const editor = limitsEditor({ catalogue: await catalogue(), own: {} })
  let made
  const sent = await ask({
    title: 'New tenant', yes: 'Create the tenant', wide: true,
    fields: [
      el('div', { class: 'pair' },
        field('Id', 'id', {
          required: true, maxlength: '16', pattern: '[a-z0-9][a-z0-9\\-]*', spellcheck: 'false', autocapitalize: 'none',
          placeholder: 'alice', hint: 'Up to 16 of a–z, 0–9 and -. It never changes.',
        }),
        field('Name', 'name', { placeholder: 'Alice’s pictures', hint: 'The id, if left empty.' })),
      area('Hostnames', 'hostnames', {
        rows: '2', spellcheck: 'false', autocapitalize: 'none', placeholder: 'pictures.example.org',
        hint: 'One a line. The first is the canonical one, which all links use.',
      }),
      choice('Plan', 'plan', [['', 'None'], ...plans.map((one) => [one.id, one.name || one.id])]),
      el('details', { class: 'more' }, el('summary', {}, 'Limits and features of its own'),
        el('p', { class: 'hint' }, 'What is set here goes before the plan.'), editor.element),
    ],
    send: async (data) => {
      made = await post('/tenants', {
        id: text(data, 'id'), name: text(data, 'name'), hostnames: lines(data, 'hostnames'),
        plan: text(data, 'plan'), ...editor.values(),
      })
    },
  })
  if (!sent) return
  toast(`The tenant ${made.id} is there`)
  location.hash = `#/tenants/${encodeURIComponent(made.id)}`
}
