// A button beside the editors of another site's page. It opens a small window of the site that this
// file comes from, and puts in at the cursor what was uploaded there.
//
//   <script async src="https://HOST/sdk/pup.js" data-auto-insert="bbcode-embed-medium"></script>
//
// data-url          the window to open; https://HOST/upload without it
// data-auto-insert  bbcode-embed-medium, html-embed-medium, markdown-embed-medium, viewer-links or
//                   direct-links: inserted as soon as everything is up. Without it a person chooses.
// data-selector     the editors: `textarea, [contenteditable="true"]` without it
// data-button-text  Upload images
// data-button-class a class of the page's own, instead of the look that the button brings
// data-position     after or before the editor
;(() => {
  const script = document.currentScript
  if (!script || window.vitrinaPopup) return
  const home = new URL(script.src)
  const settings = {
    url: new URL('/upload', home).href,
    selector: 'textarea, [contenteditable="true"]',
    buttonText: 'Upload images',
    position: 'after',
    ...script.dataset,
  }
  const target = new URL(settings.url, home)
  const origin = target.origin
  const editors = new Map()
  // Those that somebody has been in: only there does the cursor mean anything.
  const used = new WeakSet()
  document.addEventListener('focusin', (event) => used.add(event.target))
  let count = 0
  let last = null

  const isFit = (editor) =>
    !editor.disabled && !editor.readOnly && !editor.closest('[data-no-upload]') && editor.offsetParent !== null

  // What rich editors put in a textarea's place, where they are there.
  const richOf = (editor) => {
    const { sceditor, tinymce, CKEDITOR } = window
    const bb = sceditor?.instance?.(editor)
    if (bb) return (text) => bb.insert(text)
    const tiny = tinymce?.get?.(editor.id)
    if (tiny) return (text) => tiny.insertContent(text)
    const ck = CKEDITOR?.instances?.[editor.id]
    if (ck) return (text) => ck.insertText(text)
    return null
  }

  const put = (editor, text) => {
    const rich = richOf(editor)
    if (rich) return rich(text)
    const isUsed = used.has(editor)
    editor.focus()
    if (editor.isContentEditable) return document.execCommand('insertText', false, text)
    const { value } = editor
    const [start, end] = isUsed ? [editor.selectionStart, editor.selectionEnd] : [value.length, value.length]
    const gap = start > 0 && !/\s$/.test(value.slice(0, start)) ? '\n' : ''
    editor.setRangeText(gap + text, start, end, 'end')
    editor.dispatchEvent(new Event('input', { bubbles: true }))
    editor.dispatchEvent(new Event('change', { bubbles: true }))
  }

  const open = (editor) => {
    const id = `vitrina-${Date.now()}-${(count += 1)}`
    editors.set(id, editor)
    const url = new URL('/upload/popup', target)
    url.searchParams.set('origin', location.origin)
    const place = `popup,width=720,height=690,left=${screenX + 60},top=${screenY + 60}`
    last = window.open(url, id, place)
  }

  window.addEventListener('message', (event) => {
    if (event.origin !== origin || event.source !== last) return
    const { id, requestAction, message } = event.data ?? {}
    const editor = editors.get(id)
    if (!editor) return
    if (requestAction === 'postSettings') event.source.postMessage({ id, settings }, origin)
    if (typeof message === 'string') put(editor, message)
  })

  const dress = (editor) => {
    if (editor.dataset.vitrina || !isFit(editor)) return
    editor.dataset.vitrina = 'yes'
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = settings.buttonText
    if (settings.buttonClass) button.className = settings.buttonClass
    else Object.assign(button.style, { font: 'inherit', margin: '6px 0', padding: '6px 12px', cursor: 'pointer' })
    button.addEventListener('click', () => open(editor))
    editor.insertAdjacentElement(settings.position === 'before' ? 'beforebegin' : 'afterend', button)
  }

  const dressAll = () => document.querySelectorAll(settings.selector).forEach(dress)
  window.vitrinaPopup = { open, settings, refresh: dressAll }
  const begin = () => {
    dressAll()
    // Editors that a page makes later.
    new MutationObserver(dressAll).observe(document.body, { childList: true, subtree: true })
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin)
  else begin()
})()
