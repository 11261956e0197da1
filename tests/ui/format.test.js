import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, pictures } from '../../assets/ui/parts/format.js'

test('sizes read as on the pages that the server makes', () => {
  const cases = [[0, '0 bytes'], [999, '999 bytes'], [1000, '1.0 kB'], [999_999, '1.0 MB'], [2_671_234, '2.7 MB'], [52_428_800, '52 MB'], [3e12, '3.0 TB'], [-5, '0 bytes']]
  for (const [count, text] of cases) assert.equal(bytes(count), text)
})

test('one picture is one picture', () => {
  assert.equal(pictures(1), '1 picture')
  assert.equal(pictures(2), '2 pictures')
})
