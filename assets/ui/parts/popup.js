// The window that a forum has opened: hands the codes of what was uploaded to the page that opened it.
import { codes } from './codes.js'

/** The kind of code that a setting like `bbcode-embed-medium` asks for, or null. Pure. */
export function kindOf(setting) {
  const word = String(setting ?? '').split('-')[0]
  return { bbcode: 'bbcode', html: 'html', markdown: 'markdown', viewer: 'view', direct: 'direct' }[word] ?? null
}

export function mount(bar) {
  const { origin } = bar.dataset
  const opener = window.opener
  const [kind, button] = [bar.querySelector('[data-kind]'), bar.querySelector('[data-insert]')]
  let done = []
  let isAutomatic = false
  // Only ever to the page that is named, whatever has become of the window since.
  const send = (message) => opener?.postMessage({ id: window.name, ...message }, origin)
  const insert = () => {
    send({ message: codes(done, kind.value) })
    window.close()
  }
  window.addEventListener('message', (event) => {
    if (event.origin !== origin || event.source !== opener || event.data?.id !== window.name) return
    const wanted = kindOf(event.data.settings?.autoInsert)
    if (!wanted) return
    kind.value = wanted
    isAutomatic = true
  })
  document.addEventListener('uploaded', ({ detail }) => {
    done = detail.items
    button.disabled = done.length === 0
    if (isAutomatic && done.length && !detail.isBusy) insert()
  })
  button.addEventListener('click', insert)
  send({ requestAction: 'postSettings' })
}
