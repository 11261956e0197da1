// One person's way through the site in a real browser, at the width of a phone and of a desk.
//
//   BASE_URL=http://127.0.0.1:8080 SETUP_URL='http://127.0.0.1:8080/setup?token=…' \
//   SHOTS=/tmp/shots CHROMIUM=/usr/bin/chromium npm test
//
// SETUP_URL may be left out on a site that has the account below already.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chromium } from 'playwright-core'
import { png } from './png.mjs'

const BASE = (process.env.BASE_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
const SHOTS = process.env.SHOTS
const USER = { username: 'ana', email: 'ana@example.org', password: 'correct horse battery staple' }
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update']
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } }

let browser
before(async () => {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })
})
after(() => browser?.close())

// Whatever a page must never do: fail in its console, break its own policy, call elsewhere.
function watch(page, faults) {
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && url.origin !== new URL(BASE).origin) faults.push(`elsewhere: ${url}`)
  })
  // What a page had not loaded yet when it was left is no failure.
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText
    if (why !== 'net::ERR_ABORTED') faults.push(`failed: ${request.url()} ${why}`)
  })
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const scheme of ['light', 'dark']) describe(`at the width of a ${size}, ${scheme}`, () => {
    const faults = []
    const seed = Object.keys(SIZES).indexOf(size) * 10 + (scheme === 'dark' ? 5 : 1)
    const title = `Dunes ${seed} <b>"quoted"</b>`
    const first = size === 'phone' && scheme === 'light'
    let context, page, item

    before(async () => {
      context = await browser.newContext({ viewport, colorScheme: scheme, hasTouch: size === 'phone' })
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: BASE })
      page = await context.newPage()
      watch(page, faults)
    })
    after(() => context?.close())

    const settle = () => page.waitForLoadState('networkidle')
    const shot = async (name) => {
      if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}-${size}-${scheme}.png`) })
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(overflow <= 0, `${name} is ${overflow}px wider than the window`)
    }
    const clean = () => assert.deepEqual(faults.splice(0), [])
    // Copying takes its time; what is on the clipboard in the end counts.
    const copied = async (isIt) => {
      for (let tries = 0; ; tries += 1) {
        const text = await page.evaluate(() => navigator.clipboard.readText())
        if (isIt(text)) return
        assert.ok(tries < 100, `not what should have been copied: ${text}`)
        await page.waitForTimeout(50)
      }
    }
    const file = (name, more = 0) => ({ name, mimeType: 'image/png', buffer: png(900, 600, seed + more) })
    const row = (state) => page.locator(`.queue-row[data-state="${state}"]`)

    test('sets the site up, or signs in', async () => {
      if (first && process.env.SETUP_URL) {
        await page.goto(`${BASE}/library`)
        assert.match(page.url(), /\/setup$/, 'an empty site explains how to set it up')
        await shot('setup-explained')
        await page.goto(process.env.SETUP_URL)
        await page.getByLabel('Your username').fill(USER.username)
        await page.getByLabel('Your e-mail').fill(USER.email)
        await page.getByLabel('A password').fill(USER.password)
        await shot('setup')
        await page.getByRole('button', { name: 'Create the account' }).click()
      } else {
        await page.goto(`${BASE}/`)
        await settle()
        await shot('guest')
        await page.goto(`${BASE}/sign-in`)
        await page.getByLabel('Username or e-mail').fill(USER.username)
        await page.getByLabel('Password').fill(USER.password)
        await shot('sign-in')
        await page.getByRole('button', { name: 'Sign in' }).click()
      }
      await page.getByRole('heading', { name: 'Drop files here' }).waitFor()
      await settle()
      await shot('home')
      clean()
    })

    test('uploads from the picker, by drop and by paste', async () => {
      await page.locator('.segments').getByText('Private').click()
      const chooser = page.waitForEvent('filechooser')
      await page.getByRole('button', { name: 'Choose files' }).click()
      await (await chooser).setFiles(file('dunes.png'))
      await row('done').first().waitFor()
      for (const [at, kind] of ['drop', 'paste'].entries()) {
        const picture = file(`${kind}.png`, at + 1)
        await page.evaluate(({ kind, name, base64 }) => {
          const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
          const data = new DataTransfer()
          data.items.add(new File([bytes], name, { type: 'image/png' }))
          const event = kind === 'drop'
            ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
          document.body.dispatchEvent(event)
        }, { kind, name: picture.name, base64: picture.buffer.toString('base64') })
        await row('done').nth(at + 1).waitFor()
      }
      await page.getByText('3 pictures up', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Copy all' }).click()
      await copied((text) => text.split('\n').length === 3)
      await shot('uploaded')
      clean()
    })

    test('says why a file is not taken, and offers to keep a duplicate', async () => {
      const picker = page.locator('[data-picker="files"]')
      await picker.setInputFiles([{ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') }])
      await row('failed').first().waitFor()
      // The browser itself notes the refused upload on its console.
      faults.splice(0, faults.length, ...faults.filter((fault) => !/status of 4(15|22)/.test(fault)))
      await picker.setInputFiles([file('dunes.png')])
      await page.getByRole('button', { name: 'Keep a second copy' }).waitFor()
      await shot('queue')
      clean()
    })

    test('shows the picture and what to pass on', async () => {
      item = await row('done').first().locator('.queue-name a').getAttribute('href')
      await page.goto(BASE + item)
      await settle()
      const picture = page.locator('img.picture')
      const [width, ratio] = await picture.evaluate((img) => [img.naturalWidth, img.clientWidth / img.clientHeight])
      assert.ok(width > 0 && Math.abs(ratio - 1.5) < 0.02, `a picture of 3:2, not ${width} wide and ${ratio}`)
      assert.equal(await page.locator('meta[property^="og:"]').count(), 0, 'a private picture has no preview')
      assert.match(await page.locator('meta[name="robots"]').getAttribute('content'), /noindex/)

      await page.getByRole('button', { name: 'Copy: Viewer link' }).click()
      await copied((text) => /^http.*\/m\//.test(text))
      await page.getByRole('tab', { name: 'Links' }).focus()
      await page.keyboard.press('ArrowRight')
      const code = page.locator('[role="tabpanel"]:visible .code').first()
      await code.getByRole('button').click()
      const shown = await code.locator('input').inputValue()
      await copied((text) => text === shown)
      await shot('viewer')
      clean()
    })

    test('edits what is said about it', async () => {
      await page.getByRole('link', { name: 'Edit' }).click()
      await page.getByLabel('Title').fill(title)
      await page.getByLabel('Description').fill('Two lines\nof text')
      await page.getByLabel('Tags').fill('sand, #light')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Your changes are saved.').waitFor()
      assert.equal(await page.locator('h1').textContent(), title)
      assert.equal(await page.locator('.label-title .chip').count() >= 2, true)
      await settle()
      await shot('edited')
      clean()
    })

    test('lists it, trashes it, takes it back', async () => {
      await page.goto(`${BASE}/library`)
      await settle()
      await shot('library')
      await page.getByLabel(`Select ${title}`).check({ force: true })
      await page.getByText('1 selected').waitFor()
      await shot('library-selected')
      await page.getByRole('button', { name: 'Move to trash' }).click()
      await page.getByText('The picture is in the trash.').waitFor()
      assert.equal(await page.getByRole('img', { name: title }).count(), 0)
      await page.getByRole('link', { name: 'Trash' }).click()
      await page.getByLabel(`Select ${title}`).check({ force: true })
      await settle()
      await shot('trash')
      await page.getByRole('button', { name: 'Delete for good' }).click()
      await page.getByRole('dialog').waitFor()
      await shot('confirm')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Restore' }).click()
      await page.getByText('The picture is back in the library.').waitFor()
      assert.equal(await page.getByRole('img', { name: title }).count(), 1)
      clean()
    })

    test('makes an API token and revokes it', async () => {
      await page.goto(`${BASE}/account`)
      await page.getByLabel('Name of a new token').fill(`Laptop ${seed}`)
      await page.getByRole('button', { name: 'Create token' }).click()
      const secret = await page.getByLabel('The new token').inputValue()
      assert.match(secret, /^vk_/)
      await shot('token')
      await page.goto(`${BASE}/account`)
      assert.ok(!(await page.content()).includes(secret), 'a token is shown once')
      await page.getByRole('button', { name: `Revoke Laptop ${seed}` }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
      await page.getByText('The token is revoked.').waitFor()
      clean()
    })

    test('signs out, and the private picture is not shown', async () => {
      await page.getByLabel('Your menu').click()
      await shot('menu')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('link', { name: 'Sign in', exact: true }).waitFor()
      clean()
      const answer = await page.goto(BASE + item)
      assert.ok([401, 403, 404].includes(answer.status()) || page.url().includes('/sign-in'), `answered ${answer.status()}`)
      assert.equal(await page.locator('img.picture').count(), 0)
      assert.ok(!(await page.content()).includes('Dunes'), 'nothing of it is said')
      await shot('not-shown')
      // The browser notes the page's own status on its console; nothing else may be there.
      assert.deepEqual(faults.splice(0).filter((fault) => !/status of 40[134]/.test(fault)), [])
      await page.goto(`${BASE}/library`)
      assert.match(page.url(), /\/sign-in\?next=%2Flibrary$/)
    })
  })
}

describe('without scripts', () => {
  test('signs in, uploads one picture and sees it', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: SIZES.phone })
    const page = await context.newPage()
    await page.goto(`${BASE}/sign-in?next=//elsewhere.example/`)
    await page.getByLabel('Username or e-mail').fill(USER.username)
    await page.getByLabel('Password').fill(USER.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
    assert.equal(page.url(), `${BASE}/`, 'signing in never leads to another site')
    if (SHOTS) await page.screenshot({ path: join(SHOTS, 'plain-home.png') })
    await page.getByLabel('Picture', { exact: true }).setInputFiles({ name: 'plain.png', mimeType: 'image/png', buffer: png(300, 200, 77) })
    await page.getByRole('button', { name: 'Upload' }).click()
    await page.waitForURL(/\/m\//)
    await page.getByRole('heading', { name: 'Markdown' }).waitFor()
    if (SHOTS) await page.screenshot({ path: join(SHOTS, 'plain-viewer.png'), fullPage: true })
    await context.close()
  })
})

describe('the API document', () => {
  test('is shown by a page that needs nothing from elsewhere', async () => {
    const context = await browser.newContext({ viewport: SIZES.desk })
    const page = await context.newPage()
    const faults = []
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('request', (request) => {
      if (!request.url().startsWith(BASE) && !request.url().startsWith('data:')) faults.push(request.url())
    })
    await page.goto(`${BASE}/api/docs`)
    await page.getByText('Upload a file', { exact: true }).waitFor()
    if (SHOTS) await page.screenshot({ path: join(SHOTS, 'api-docs.png') })
    assert.deepEqual(faults, [])
    await context.close()
  })
})
