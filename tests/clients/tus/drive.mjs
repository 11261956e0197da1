// Drives an appliance with the clients that people use for uploads in pieces: tus-js-client, and
// Uppy on top of it. The appliance is killed in the middle of an upload and started anew.
//
//   node drive.mjs BINARY DATA TOKEN PICTURE

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { argv } from 'node:process'
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'
import * as tus from 'tus-js-client'

const [binary, data, token, path] = argv.slice(2)
const picture = await readFile(path)
const headers = { authorization: `Bearer ${token}` }
const PIECE = 64 * 1024

// The same address after a restart, as a client would find it.
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const origin = `http://127.0.0.1:${port}`
const endpoint = `${origin}/api/v2/uploads`

let server
async function start() {
  const flags = ['serve', '--listen', `127.0.0.1:${port}`, '--operator-listen', '127.0.0.1:0']
  server = spawn(binary, [...flags, '--data', data], { stdio: 'ignore' })
  for (;;) {
    try {
      if ((await fetch(`${origin}/api/v2/site`)).ok) return
    } catch {
      // Not yet.
    }
    assert.equal(server.exitCode, null, 'the server ended')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function kill() {
  const gone = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await gone
}

// Uploads the picture, and answers with the last answer of the server.
function upload(options = {}) {
  return new Promise((resolve, reject) => {
    const { onStart = () => {}, ...more } = options
    const one = new tus.Upload(picture, {
      endpoint,
      headers,
      chunkSize: PIECE,
      retryDelays: [0, 200, 500, 1000, 2000],
      metadata: { filename: 'sea.png', filetype: 'image/png', allow_duplicate: 'true' },
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve({ lastResponse, url: one.url }),
      ...more,
    })
    onStart(one)
    one.start()
  })
}

// What came of an upload must be the picture, bit for bit in its pixels: the same public file as
// from an upload in one piece.
async function check(url, label) {
  const state = await (await fetch(url, { headers })).json()
  assert.ok(state.media_id, label)
  const media = await (await fetch(`${origin}/api/v2/media/${state.media_id}`, { headers })).json()
  const file = Buffer.from(await (await fetch(media.urls.original)).arrayBuffer())
  const sum = `sha256:${createHash('sha256').update(file).digest('hex')}`
  assert.equal(media.checksum, sum, label)
  expected ??= sum
  assert.equal(sum, expected, label)
  console.log(`${label}: ok`)
  return media
}
let expected

await start()
try {
  const form = new FormData()
  form.set('file', new Blob([picture], { type: 'image/png' }), 'sea.png')
  const whole = await fetch(`${origin}/api/v2/media`, { method: 'POST', headers, body: form })
  assert.equal(whole.status, 201)
  expected = (await whole.json()).checksum

  const { lastResponse, url } = await upload()
  assert.ok(lastResponse.getHeader('Upload-Media-Id'))
  const media = await check(url, 'in pieces')
  assert.equal(media.filename, 'sea.png')

  await check((await upload({ uploadDataDuringCreation: true })).url, 'with the first request')
  await check((await upload({ parallelUploads: 3 })).url, 'parts side by side')

  // Stopped by its sender, and gone on with by another one that knows the address alone.
  const stopped = await new Promise((resolve, reject) => {
    const one = new tus.Upload(picture, {
      endpoint,
      headers,
      chunkSize: PIECE,
      metadata: { filename: 'sea.png', allow_duplicate: 'true' },
      onError: reject,
      onChunkComplete: (_, accepted) => {
        if (accepted >= 2 * PIECE) one.abort().then(() => resolve(one.url), reject)
      },
    })
    one.start()
  })
  await check((await upload({ uploadUrl: stopped })).url, 'gone on with')

  // Killed in the middle of a piece; the client tries again by itself.
  let kills = 0
  const killed = await upload({
    onProgress: (sent) => {
      if (kills < 2 && sent > (kills + 1) * 3 * PIECE) {
        kills += 1
        kill().then(start)
      }
    },
  })
  assert.equal(kills, 2)
  await check(killed.url, 'killed twice')

  const uppy = new Uppy({ autoProceed: false }).use(Tus, { endpoint, headers, chunkSize: PIECE })
  uppy.addFile({
    name: 'uppy.png',
    type: 'image/png',
    // Outside of browsers the client below takes no `Blob`, and Uppy asks for a size.
    data: Object.assign(Buffer.from(picture), { size: picture.length }),
    meta: { allow_duplicate: 'true' },
  })
  const { successful, failed } = await uppy.upload()
  assert.deepEqual([successful.length, failed.length], [1, 0])
  const byUppy = await check(successful[0].uploadURL, 'with Uppy')
  assert.equal(byUppy.filename, 'uppy.png')

  // What is refused is refused for good: no client tries that again.
  const wrong = upload({ metadata: { filename: 'a.png', visibility: 'secret' } })
  await assert.rejects(wrong, (error) => error.originalResponse.getStatus() === 422)
} finally {
  await kill()
}
