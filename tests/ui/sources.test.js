import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressIn, addressesIn, gather, looksLikeMedia, walk } from '../../assets/ui/parts/sources.js'

test('one address is an address, a sentence is not', () => {
  assert.equal(addressIn(' https://x.example/a b'), null)
  assert.equal(addressIn('https://x.example/a.jpg\n'), 'https://x.example/a.jpg')
  for (const text of ['', 'x.example', 'ftp://x.example/', 'javascript:alert(1)', 'https://']) assert.equal(addressIn(text), null, text)
  assert.deepEqual(addressesIn('https://a.example/ and\nhttp://b.example/'), ['https://a.example/', 'http://b.example/'])
})

test('pictures, films and sound are told by their type, or by its name where it has none', () => {
  assert.ok(looksLikeMedia({ type: 'image/png', name: 'x' }))
  assert.ok(looksLikeMedia({ type: '', name: 'HOLIDAY.JPG' }))
  assert.ok(looksLikeMedia({ type: 'video/mp4', name: 'x' }) && looksLikeMedia({ type: '', name: 'song.flac' }))
  assert.ok(!looksLikeMedia({ type: 'text/plain', name: 'x.jpg' }))
  assert.ok(!looksLikeMedia({ type: '', name: 'notes.txt' }))
})

const fileEntry = (name, type = 'image/png') => ({ name, isDirectory: false, file: (done) => done({ name, type }) })
const folder = (name, portions) => ({
  name,
  isDirectory: true,
  createReader: () => {
    const left = [...portions, []]
    return { readEntries: (done) => done(left.shift()) }
  },
})

test('a folder is read to its end, hidden files left out', async () => {
  const tree = folder('a', [[fileEntry('1.png'), fileEntry('.DS_Store')], [folder('b', [[fileEntry('2.png')]])]])
  assert.deepEqual((await walk(tree)).map(({ name }) => name), ['1.png', '2.png'])
})

test('a drop gives files, the pictures of folders, and how many stayed out', async () => {
  const item = (entry) => ({ kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => ({ name: entry.name, type: '' }) })
  const tree = folder('a', [[fileEntry('1.png'), fileEntry('notes.txt', 'text/plain')]])
  const found = await gather({ items: [item(fileEntry('loose')), item(tree)], getData: () => 'https://x.example/' })
  assert.deepEqual(found.files.map(({ name }) => name), ['loose', '1.png'])
  assert.deepEqual([found.skipped, found.urls], [1, []])
})

test('a dropped or pasted address is fetched where there is no file', async () => {
  const list = { 'text/uri-list': '# from a page\nhttps://x.example/a.jpg', 'text/plain': 'else' }
  const found = await gather({ items: [], files: [], getData: (type) => list[type] })
  assert.deepEqual([found.urls, found.files], [['https://x.example/a.jpg'], []])
})
