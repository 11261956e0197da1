// A button that copies its data-copy and says so.
import { copyText, toast } from '../dom.js'

export function mount(button) {
  button.addEventListener('click', async () => {
    const copied = await copyText(button.dataset.copy)
    if (copied) toast(button.dataset.said ?? 'Copied')
    else toast('This browser does not let pages copy. Select the text instead.', 'alert')
    show(button, copied)
  })
  const code = button.parentElement?.querySelector('[data-code]')
  code?.addEventListener('focus', () => code.select())
}

function show(button, copied) {
  const use = button.querySelector('use')
  if (!copied || !use || button.classList.contains('is-done')) return
  const before = use.getAttribute('href')
  use.setAttribute('href', '#i-check')
  button.classList.add('is-done')
  setTimeout(() => {
    use.setAttribute('href', before)
    button.classList.remove('is-done')
  }, 1600)
}
