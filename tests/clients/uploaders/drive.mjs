// Drives an appliance with uploaders that people have: imgbb-uploader, to Chevereto's API and to
// imgBB's, and PicGo with the plugins for web uploaders and for Lsky Pro.
//
//   VITRINA_URL=… VITRINA_TOKEN=… node drive.mjs PICTURE…   (one picture for each upload)

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, env } from 'node:process'

const origin = env.VITRINA_URL
const token = env.VITRINA_TOKEN
const pictures = argv.slice(2)
const { hostname, port } = new URL(origin)
const require = createRequire(import.meta.url)

// What this one calls imgBB is in its code, as https://api.imgbb.com.
https.request = (options, answer) => {
  assert.equal(options.hostname, 'api.imgbb.com')
  return http.request({ ...options, hostname, port }, answer)
}
const imgbbUploader = require('imgbb-uploader')
const { PicGo } = require('picgo')

async function isPicture(url) {
  const answer = await fetch(url)
  assert.equal(answer.status, 200, url)
  assert.match(answer.headers.get('content-type'), /^image\//, url)
}

async function cheveretoMode(imagePath) {
  const options = { apiKey: token, cheveretoHost: origin, imagePath }
  const customPayload = { title: 'From Node', tags: 'node', description: 'Sent as base64' }
  const answer = await imgbbUploader({ ...options, customPayload })
  assert.equal(answer.status_code, 200)
  assert.equal(answer.image.title, 'From Node')
  await isPicture(answer.image.url)
  const wrong = imgbbUploader({ ...options, apiKey: 'wrong' })
  await assert.rejects(wrong, /"code": 100/)
}

async function imgbbMode(imagePath) {
  const data = await imgbbUploader({ apiKey: token, name: 'beach', expiration: 600, imagePath })
  assert.equal(data.title, 'beach')
  assert.equal(data.expiration, 600)
  await isPicture(data.display_url)
  await isPicture(data.thumb.url)
}

// A PicGo with this plugin and settings of its own, which lie in a folder that goes afterwards.
async function picgo(uploader, config, work) {
  const folder = await mkdtemp(join(tmpdir(), 'picgo-'))
  const path = join(folder, 'config.json')
  await writeFile(path, '{}')
  try {
    const core = new PicGo(path)
    const plugin = require(`picgo-plugin-${uploader}`)
    core.use(plugin.default ?? plugin, `picgo-plugin-${uploader}`)
    core.setConfig({
      silent: true,
      picBed: { uploader, current: uploader, [uploader]: config },
    })
    await work(core)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function upload(core, path) {
  const uploaded = await core.upload([path])
  assert.ok(Array.isArray(uploaded), String(uploaded))
  await isPicture(uploaded[0].imgUrl)
  return uploaded[0]
}

const asChevereto = {
  url: `${origin}/api/1/upload`,
  paramName: 'source',
  jsonPath: 'image.url',
  customHeader: JSON.stringify({ 'X-API-Key': token }),
  customBody: JSON.stringify({ format: 'json' }),
}
const asLsky = {
  lskyProVersion: 'V2',
  server: origin,
  token: `Bearer ${token}`,
  strategyId: '1',
  permission: 1,
  syncDelete: true,
}

const tries = [
  ['imgbb-uploader to Chevereto', () => cheveretoMode(pictures[0])],
  ['imgbb-uploader to imgBB', () => imgbbMode(pictures[1])],
  [
    'PicGo as a web uploader',
    () => picgo('web-uploader', asChevereto, (core) => upload(core, pictures[2])),
  ],
  [
    'PicGo with Lsky Pro, and its deletion',
    () =>
      picgo('lankong', asLsky, async (core) => {
        const item = await upload(core, pictures[3])
        // The plugin cannot read any answer that PicGo gives it nowadays; it has asked by then.
        await Promise.allSettled(core.listeners('remove').map((deletes) => deletes([item])))
        assert.equal((await fetch(item.imgUrl)).status, 404)
      }),
  ],
]
for (const [name, attempt] of tries) {
  await attempt()
  console.log(`ok: ${name}`)
}
