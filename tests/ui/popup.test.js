// The window that a forum opens: what its settings ask for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindOf } from '../../assets/ui/parts/popup.js'

test('a setting of the forum names a kind of code', () => {
  for (const [setting, kind] of [
    ['bbcode-embed-medium', 'bbcode'],
    ['html-embed-medium', 'html'],
    ['markdown-embed-medium', 'markdown'],
    ['viewer-links', 'view'],
    ['direct-links', 'direct'],
    ['delete-links', null],
    ['', null],
    [undefined, null],
  ]) {
    assert.equal(kindOf(setting), kind, setting)
  }
})
