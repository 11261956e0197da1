// Native dialogs: one that asks and sends, one that shows a secret once.
import { copyText, el, freshId, icon, toast } from './dom.js'
import { onSend } from './forms.js'

/**
 * Asks for `fields` and gives what was filled in to `send`. Resolves to `true` when it was sent, to
 * `false` when it was left. Stays open with the complaint beside its field while the server refuses.
 */
export function ask({ title, intro, fields = [], yes, danger = false, wide = false, send }) {
  const heading = freshId('dialog')
  const no = el('button', { class: 'button button-quiet', type: 'button' }, 'Cancel')
  const go = el('button', { class: `button ${danger ? 'button-stop' : 'button-main'}` }, yes)
  const form = el('form', { class: 'stack' },
    el('h2', { id: heading }, title),
    intro && el('p', { class: 'soft' }, intro),
    el('div', { 'data-problem': true }),
    fields,
    el('div', { class: 'dialog-acts' }, no, go))
  const dialog = el('dialog', { class: `dialog${wide ? ' dialog-wide' : ''}`, 'aria-labelledby': heading }, form)
  const end = openModal(dialog)
  let sent = false
  no.addEventListener('click', () => dialog.close())
  onSend(form, async (data) => {
    await send(data)
    sent = true
    dialog.close()
  })
  // A question that only stands to be answered has its focus on the safe answer.
  if (!fields.length) no.focus()
  return end.then(() => sent)
}

/** Shows what is told only this once, ready to be copied. */
export function reveal({ title, intro, label, secret, link = false, notes }) {
  const heading = freshId('dialog')
  const box = el('input', { class: 'input', readonly: true, spellcheck: 'false', 'aria-label': label })
  box.value = secret
  box.addEventListener('focus', () => box.select())
  const copy = el('button', { class: 'button button-main', type: 'button', autofocus: true }, icon('copy'), 'Copy')
  copy.addEventListener('click', async () => {
    if (await copyText(secret)) {
      copy.replaceChildren(icon('check'), 'Copied')
    } else {
      box.focus()
      toast('This browser does not let the page copy. The text is selected for you.', 'alert')
    }
  })
  const done = el('button', { class: 'button', type: 'button' }, 'Done')
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': heading },
    el('div', { class: 'stack' },
      el('h2', { id: heading }, title),
      el('p', { class: 'soft' }, intro),
      el('div', { class: 'code-row' }, box, copy),
      notes && el('p', { class: 'hint' }, notes),
      el('div', { class: 'dialog-acts' },
        link && /^https?:/.test(secret)
          && el('a', { class: 'button', href: secret, target: '_blank', rel: 'noopener noreferrer' }, 'Open'),
        done)))
  done.addEventListener('click', () => dialog.close())
  return openModal(dialog)
}

// The browser gives the focus back to where it was when a modal dialog closes.
function openModal(dialog) {
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve()
    })
  })
}
