// Albums, programs that connect, and the window that another site's page opens, in a real browser.
// The account of the first journey is there already.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chromium } from 'playwright-core'
import { png } from './png.mjs'

const BASE = process.env.BASE_URL.replace(/\/$/, '')
const SHOTS = process.env.SHOTS
const USER = { username: 'ana', password: 'correct horse battery staple' }
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } }
const picture = (seed) => ({ name: `boat ${seed}.png`, mimeType: 'image/png', buffer: png(320, 240, seed) })

let browser
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
})
after(() => browser?.close())

async function signedIn(viewport) {
  const context = await browser.newContext({ viewport })
  const page = await context.newPage()
  const faults = []
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error)))
  await page.goto(`${BASE}/sign-in`)
  await page.getByLabel('Username or e-mail').fill(USER.username)
  await page.getByLabel('Password').fill(USER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${BASE}/`)
  return { context, page, faults }
}

const shot = async (page, name) => {
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`) })
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(overflow <= 0, `${name} is ${overflow}px wider than the window`)
}

for (const [size, viewport] of Object.entries(SIZES)) {
  test(`an album is made, filled and hidden at the width of a ${size}`, async () => {
    const { context, page, faults } = await signedIn(viewport)
    const title = `Boats of a ${size}`
    await page.goto(`${BASE}/albums`)
    await page.getByLabel('Title of a new album', { exact: true }).fill(title)
    await page.getByRole('button', { name: 'New album' }).click()
    await page.getByRole('heading', { name: title }).waitFor()
    const address = page.url()
    await page.goto(`${BASE}/`)
    await page.getByLabel('Album').selectOption({ label: title })
    await page.locator('[data-picker="files"]').setInputFiles(picture(size === 'phone' ? 301 : 302))
    await page.getByText('1 picture up', { exact: true }).waitFor()
    await page.goto(address)
    await page.locator('.feed img').waitFor()
    await shot(page, `album-${size}`)
    await page.locator('.album-edit summary').click()
    await page.getByText('Private', { exact: true }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    const guest = await browser.newContext()
    assert.equal((await (await guest.newPage()).goto(address)).status(), 404)
    await guest.close()
    await page.goto(`${BASE}/albums`)
    await page.getByRole('link', { name: title }).waitFor()
    await shot(page, `albums-${size}`)
    await page.goto(`${BASE}/account/connect`)
    await page.getByRole('button', { name: 'Make a token' }).click()
    const token = await page.getByLabel('Token', { exact: true }).inputValue()
    assert.match(token, /^vk_/)
    await shot(page, `connect-${size}`)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Copies the page' }).click()])
    assert.match(download.suggestedFilename(), /\.sxcu$/)
    assert.deepEqual(faults, [])
    await context.close()
  })
}

describe('a page of another site', () => {
  let forum, origin
  before(async () => {
    const script = `<script async src="${BASE}/sdk/pup.js" data-auto-insert="bbcode-embed-medium"></script>`
    forum = createServer((_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<!doctype html><title>Forum</title><textarea id="post">Look:</textarea>${script}`)
    })
    await new Promise((done) => forum.listen(0, '127.0.0.1', done))
    origin = `http://127.0.0.1:${forum.address().port}`
  })
  after(() => forum?.close())

  test('gets what was uploaded in the window that it opens, once it is on the list', async () => {
    const { context, page } = await signedIn(SIZES.desk)
    const post = await context.newPage()
    await post.goto(origin)
    const open = async () => {
      const [popup] = await Promise.all([post.waitForEvent('popup'), post.getByRole('button', { name: 'Upload images' }).click()])
      return popup
    }
    const refused = await open()
    await refused.getByRole('heading', { name: 'This page may not insert from here' }).waitFor()
    await refused.close()
    await page.evaluate(async (site) => {
      const body = JSON.stringify({ popup_origins: [site] })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch('/api/v2/site/settings', { method: 'PATCH', headers, body })
      if (!answer.ok) throw new Error(await answer.text())
    }, origin)
    const popup = await open()
    if (SHOTS) await popup.screenshot({ path: join(SHOTS, 'popup.png') })
    const closed = popup.waitForEvent('close')
    await popup.locator('[data-picker="files"]').setInputFiles(picture(303))
    await closed
    const text = await post.locator('#post').inputValue()
    assert.match(text, /^Look:\n\[url=http.*\/m\/.*\]\[img\]http.*\[\/img\]\[\/url\]$/)
    await context.close()
  })
})
