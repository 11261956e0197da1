import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { countText, range } from '../../assets/ui/parts/picker.js'
import { sourceName, stateText } from '../../assets/ui/parts/row.js'
import { target } from '../../assets/ui/parts/tabs.js'
import { refusalOf, tagsIn } from '../../assets/ui/parts/uploader.js'

test('arrows go round the tabs', () => {
  assert.deepEqual(['ArrowRight', 'ArrowLeft', 'Home', 'End', 'x'].map((key) => target(key, 3, 4)), [0, 2, 0, 3, null])
})

test('a range runs either way', () => {
  assert.deepEqual(range(2, 4), [2, 3, 4])
  assert.deepEqual(range(4, 2), [2, 3, 4])
  assert.equal(countText(2, 9), '2 selected')
  assert.equal(countText(9, 9), 'All 9 selected')
})

test('a file that is too large is refused in words, before it is sent', () => {
  assert.equal(refusalOf({ size: 10 }, 10), null)
  assert.equal(refusalOf({ size: 10 }, 0), null)
  assert.match(refusalOf({ size: 2_000_000 }, 1_000_000), /2\.0 MB is over this site’s limit of 1\.0 MB/)
  assert.match(refusalOf({ size: 0 }, 10), /empty/)
})

test('tags are parted by commas', () => {
  assert.deepEqual(tagsIn('sea, #summer 2026,, '), ['sea', 'summer 2026'])
})

test('a row says how far it is', () => {
  const file = { name: 'a.jpg' }
  assert.equal(stateText({ state: 'sending', file, sent: 1000, total: 2000 }), '1.0 kB of 2.0 kB')
  assert.equal(stateText({ state: 'failed', problem: { message: 'No.' } }), 'No.')
  assert.equal(sourceName({ file: { name: '' } }), 'Pasted picture')
  assert.equal(sourceName({ url: 'https://x.example/a/caf%C3%A9.jpg' }), 'café.jpg')
  assert.equal(sourceName({ url: 'https://x.example/%FF' }), '%FF')
  assert.equal(sourceName({ url: 'https://x.example/' }), 'x.example')
})

test('parts are small, and one module alone opens connections', () => {
  const ui = new URL('../../assets/ui/', import.meta.url)
  for (const path of readdirSync(ui, { recursive: true }).filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(new URL(path, ui), 'utf8')
    assert.ok(text.split('\n').length <= 200, `${path} is over 200 lines`)
    if (path !== 'api.js') assert.doesNotMatch(text, /\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket/, path)
    assert.doesNotMatch(text, /innerHTML|insertAdjacentHTML|document\.write|\beval\(/, path)
  }
})
