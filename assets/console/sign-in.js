// Signing in with an operator key. The key stays in this window's session storage.
import { get, keepKey, fieldProblem } from './api.js'
import { el } from './dom.js'
import { field, onSend, text } from './forms.js'

/** The page that asks for a key; `onDone` is called when the server has taken one. */
export function signInPage(onDone, why) {
  const form = el('form', { class: 'panel stack' },
    el('h1', { tabindex: '-1' }, 'Operator console'),
    el('p', { class: 'soft' }, 'Sign in with an operator key. It is kept in this window only, until you close it.'),
    el('div', { 'data-problem': true }, why && el('p', { class: 'notice', role: 'status', 'data-complaint': true }, why)),
    field('Operator key', 'key', {
      type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, placeholder: 'vk_op_…', autofocus: true,
    }),
    el('button', { class: 'button button-main button-wide' }, 'Sign in'))
  onSend(form, async (data) => {
    await tryKey(text(data, 'key') ?? '')
    onDone()
  })
  return el('div', { class: 'wrap narrow alone' }, form)
}

async function tryKey(key) {
  // Other characters cannot even be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(key)) throw fieldProblem('key', 'This is not an operator key. One begins with vk_op_.')
  keepKey(key)
  try {
    await get('/status')
  } catch (error) {
    // A key that may not read the status is a key all the same.
    if (error.status === 403 && error.code === 'missing_scope') return
    keepKey('')
    if (error.status === 401) throw fieldProblem('key', 'The server does not know this key, or it has expired.')
    throw error
  }
}
