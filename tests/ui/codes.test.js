import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codes, name } from '../../assets/ui/parts/codes.js'

const urls = { view: 'https://x.example/m/a', original: 'https://x.example/f/a.jpg', medium: 'https://x.example/f/a.medium.jpg' }
const media = { title: 'A "B" [c] <d>', filename: 'a.jpg', urls, delete_url: 'https://x.example/delete/a/k' }
const bare = { filename: 'b.jpg', urls: { ...urls, view: 'https://x.example/m/b' } }

test('an item is called by its title, its file, or what it is', () => {
  assert.equal(name(media), media.title)
  assert.equal(name(bare), 'b.jpg')
  assert.equal(name({}), 'Picture')
})

test('links stand one to a line', () => {
  assert.equal(codes([media, bare], 'view'), 'https://x.example/m/a\nhttps://x.example/m/b')
  assert.equal(codes([media], 'direct'), urls.original)
})

test('what a person wrote cannot break out of a code', () => {
  const html = codes([media], 'html')
  assert.ok(html.includes('alt="A &quot;B&quot; [c] &lt;d&gt;"'), html)
  assert.ok(codes([media], 'markdown').startsWith('[![A "B" \\[c\\] <d>]('))
})

test('BBCode links the picture', () => {
  assert.equal(codes([bare], 'bbcode'), '[url=https://x.example/m/b][img]https://x.example/f/a.medium.jpg[/img][/url]')
})

test('an item without a delete link is left out', () => {
  assert.equal(codes([media, bare], 'delete'), media.delete_url)
  assert.equal(codes([bare], 'delete'), '')
})
