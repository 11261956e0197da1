// The place to drop pictures on: takes them in, shows the queue, hands out the links.
import { createMedia } from '../api.js'
import { announce, copyText, report, toast } from '../dom.js'
import { codes } from './codes.js'
import { bytes, pictures } from './format.js'
import { Queue } from './queue.js'
import { makeRow } from './row.js'
import { addressesIn, gather, looksLikeMedia } from './sources.js'

/** Why a file is not even tried, or null. Pure. */
export function refusalOf(file, limit) {
  if (file.size === 0) return 'This file is empty.'
  if (limit && file.size > limit) return `${bytes(file.size)} is over this site’s limit of ${bytes(limit)}.`
  return null
}

/** Tags as typed: `sea, #summer` is two. Pure. */
export function tagsIn(text) {
  return text.split(',').map((tag) => tag.trim().replace(/^#+/, '')).filter(Boolean)
}

export function mount(form) {
  const part = (name) => form.querySelector(`[data-${name}]`)
  const rows = new Map()
  const limit = Number(form.dataset.limit) || 0

  const queue = new Queue({
    send: ({ file, url, fields }, options) => createMedia({ file, url, ...fields }, options),
    changed: (item) => {
      rowOf(item).show(item)
      tell(item, queue)
      showResults(part, queue.done)
      const detail = { items: queue.done, isBusy: queue.isBusy }
      document.dispatchEvent(new CustomEvent('uploaded', { detail }))
    },
  })
  const rowOf = (item) => {
    if (!rows.has(item.id)) {
      const again = () => queue.retry(item, { allow_duplicate: true })
      const row = makeRow(item, { cancel: () => queue.cancel(item), retry: () => queue.retry(item), again })
      rows.set(item.id, row)
      part('queue').append(row.element)
    }
    return rows.get(item.id)
  }
  const take = ({ files = [], urls = [], skipped = 0 }) => {
    const fields = fieldsOf(form, part)
    for (const file of files) queue.add({ file, fields }, refusalOf(file, limit))
    for (const url of urls) queue.add({ url, fields })
    if (skipped) toast(`${skipped} ${skipped === 1 ? 'file is' : 'files are'} neither picture nor film nor sound and stayed out`, 'alert')
    if (files.length + urls.length) announce(`${pictures(files.length + urls.length)} added`)
  }

  part('files').disabled = true
  form.addEventListener('submit', (event) => event.preventDefault())
  listenForPickers(form, take)
  listenForDrops(take)
  listenForPastes(take)
  listenForLinks(part, take)
  listenForCopying(part, queue)
  window.addEventListener('beforeunload', (event) => {
    if (queue.isBusy) event.preventDefault()
  })
}

function fieldsOf(form, part) {
  const tags = tagsIn(part('tags').value)
  const data = new FormData(form)
  const album = data.get('album')
  return {
    visibility: data.get('visibility'),
    nsfw: data.has('nsfw'),
    ...(tags.length && { tags }),
    ...(album && { album }),
  }
}

function tell(item, queue) {
  if (item.state === 'failed') announce(`${item.file?.name ?? 'The link'}: ${item.problem.message}`)
  if (item.state === 'done' && !queue.isBusy) announce(`All uploads are done. ${pictures(queue.done.length)} up.`)
}

function showResults(part, done) {
  part('results').hidden = done.length === 0
  part('results-count').textContent = `${pictures(done.length)} up`
}

function listenForPickers(form, take) {
  for (const button of form.querySelectorAll('[data-choose]')) {
    const picker = form.querySelector(`[data-picker="${button.dataset.choose}"]`)
    button.addEventListener('click', () => picker.click())
    picker.addEventListener('change', () => {
      const all = [...picker.files]
      const files = button.dataset.choose === 'folder' ? all.filter(looksLikeMedia) : all
      take({ files, skipped: all.length - files.length })
      picker.value = ''
    })
  }
}

// The whole page takes drops: nobody aims while dragging.
function listenForDrops(take) {
  let depth = 0
  const mark = (change) => {
    depth = Math.max(0, depth + change)
    document.body.classList.toggle('is-dragging', depth > 0)
  }
  const isOurs = ({ dataTransfer }) => ['Files', 'text/uri-list'].some((type) => dataTransfer?.types.includes(type))
  document.addEventListener('dragenter', (event) => isOurs(event) && mark(1))
  document.addEventListener('dragleave', (event) => isOurs(event) && mark(-1))
  document.addEventListener('dragover', (event) => isOurs(event) && event.preventDefault())
  document.addEventListener('drop', (event) => {
    mark(-depth)
    if (!isOurs(event)) return
    event.preventDefault()
    gather(event.dataTransfer).then(take).catch(report)
  })
}

function listenForPastes(take) {
  document.addEventListener('paste', (event) => {
    const isTyping = event.target.closest?.('input, textarea')
    if (isTyping && !event.clipboardData?.files.length) return
    gather(event.clipboardData).then(take).catch(report)
  })
}

function listenForLinks(part, take) {
  const [toggle, box, field] = [part('toggle-link'), part('link'), part('url')]
  const fetchAll = () => {
    const urls = addressesIn(field.value)
    field.setCustomValidity(urls.length ? '' : 'An address begins with http:// or https://')
    if (!field.reportValidity()) return
    take({ urls })
    field.value = ''
  }
  toggle.addEventListener('click', () => {
    box.hidden = !box.hidden
    toggle.setAttribute('aria-expanded', String(!box.hidden))
    if (!box.hidden) field.focus()
  })
  field.addEventListener('input', () => field.setCustomValidity(''))
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    fetchAll()
  })
  part('fetch').addEventListener('click', fetchAll)
}

function listenForCopying(part, queue) {
  part('copy-all').addEventListener('click', async () => {
    const text = codes(queue.done, part('codes').value)
    if (!text) return toast('These pictures have no links of that kind', 'alert')
    const lines = text.split('\n').length
    const copied = await copyText(text)
    toast(copied ? `Copied for ${pictures(lines)}` : 'This browser does not let pages copy', copied ? 'check' : 'alert')
  })
}
