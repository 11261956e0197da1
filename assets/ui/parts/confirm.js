// A submit button that asks before it does what cannot be undone.
import { el } from '../dom.js'

export function mount(button) {
  let agreed = false
  button.addEventListener('click', async (event) => {
    if (agreed) return
    event.preventDefault()
    agreed = await ask(button.dataset)
    if (agreed) button.form.requestSubmit(button)
    agreed = false
  })
}

/** Resolves to whether the answer was yes. The safe answer has the focus. */
function ask({ confirm, detail, yes }) {
  const no = el('button', { class: 'button', value: 'no', autofocus: true }, 'Cancel')
  const go = el('button', { class: 'button button-danger', value: 'yes' }, yes)
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'ask', 'aria-describedby': 'ask-more' },
    el('form', { method: 'dialog', class: 'stack' },
      el('h2', { id: 'ask' }, confirm),
      el('p', { class: 'soft', id: 'ask-more' }, detail),
      el('div', { class: 'dialog-acts' }, no, go)))
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
  })
}
