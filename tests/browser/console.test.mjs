// An operator's way through the console in a real browser, at the width of a desk and of a phone.
//
//   OPERATOR_URL=http://127.0.0.1:8081 OPERATOR_KEY=vk_op_… \
//   SHOTS=/tmp/shots CHROMIUM=/usr/bin/chromium node --test console.test.mjs
//
// The key needs every scope. What is made here is deleted again.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chromium } from 'playwright-core'

const BASE = (process.env.OPERATOR_URL ?? 'http://127.0.0.1:8081').replace(/\/$/, '')
const KEY = process.env.OPERATOR_KEY ?? ''
const SHOTS = process.env.SHOTS
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update']
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }
const SCHEMES = { desk: 'light', phone: 'dark' }

let browser
before(async () => {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })
})
after(() => browser?.close())

// Whatever the console must never do: fail in its own console, break its policy, call elsewhere.
function watch(page, faults) {
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && url.origin !== new URL(BASE).origin) faults.push(`elsewhere: ${url}`)
  })
  // What a view had not loaded yet when it was left is no failure.
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText
    if (why !== 'net::ERR_ABORTED') faults.push(`failed: ${request.url()} ${why}`)
  })
}

for (const [size, viewport] of Object.entries(SIZES)) {
  describe(`at the width of a ${size}`, () => {
    const faults = []
    const scheme = SCHEMES[size]
    const stamp = Date.now().toString(36).slice(-6)
    const id = `t${size.slice(0, 1)}-${stamp}`
    const plan = `plan-${size.slice(0, 1)}-${stamp}`
    let context, page

    before(async () => {
      context = await browser.newContext({ viewport, colorScheme: scheme, hasTouch: size === 'phone' })
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: BASE })
      page = await context.newPage()
      watch(page, faults)
    })
    after(() => context?.close())

    const shot = async (name) => {
      if (SHOTS) await page.screenshot({ path: join(SHOTS, `console-${name}-${size}-${scheme}.png`) })
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(overflow <= 0, `${name} is ${overflow}px wider than the window`)
    }
    const clean = () => assert.deepEqual(faults.splice(0), [])
    const button = (name, root = page) => root.getByRole('button', { name, exact: true })
    const heading = (name) => page.getByRole('heading', { name, exact: true })
    const dialog = () => page.getByRole('dialog')
    const gone = () => dialog().waitFor({ state: 'detached' })
    const row = (tenant) => page.locator(`[data-tenant="${tenant}"]`)
    const visit = (name) => page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name }).click()
    const field = (label) => dialog().getByLabel(label, { exact: true })
    const state = (words) => page.getByRole('heading', { level: 1 }).getByText(words, { exact: true }).waitFor()

    test('refuses a wrong key and takes the right one', async () => {
      await page.goto(`${BASE}/`)
      await page.getByLabel('Operator key').fill('vk_op_wrong')
      await button('Sign in').click()
      await page.getByText('does not know this key').waitFor()
      // The refusal is what was asked for; the browser reports it all the same.
      const others = faults.splice(0).filter((fault) => !/^console: .*\b401\b/.test(fault))
      assert.deepEqual(others, [])
      await shot('sign-in')
      await page.getByLabel('Operator key').fill(KEY)
      await button('Sign in').click()
      await heading('Tenants').waitFor()
      await page.locator('[data-tenant]').first().waitFor()
      await page.getByText(/^Vitrina \d/).waitFor()
      await shot('tenants')
      clean()
    })

    test('creates a plan', async () => {
      await visit('Plans')
      await heading('Plans').waitFor()
      await button('New plan').click()
      await field('Id').fill(plan)
      await field('Name').fill(`Plan ${stamp}`)
      await field('Files').fill('500')
      await field('Storage, amount').fill('1.5')
      await field('Storage, unit').selectOption('GB')
      await shot('new-plan')
      await button('Create the plan').click()
      await gone()
      const made = page.getByRole('row').filter({ hasText: plan })
      await made.getByText('Storage 1.5 GB').waitFor()
      await shot('plans')
      clean()
    })

    test('creates a tenant with limits and finds it in the list', async () => {
      await visit('Tenants')
      await heading('Tenants').waitFor()
      await button('New tenant').click()
      await field('Id').fill(id)
      await field('Name').fill(`Test ${stamp}`)
      await field('Hostnames').fill(`${id}.example.org`)
      await field('Plan').selectOption(plan)
      await dialog().getByText('Limits and features of its own').click()
      await field('Users').fill('7')
      await field('Users').scrollIntoViewIfNeeded()
      await shot('new-tenant')
      await button('Create the tenant').click()
      await heading('Limits and features').waitFor()
      await page.getByRole('link', { name: 'Tenants' }).first().click()
      await heading('Tenants').waitFor()
      await page.getByLabel('Search tenants').fill(id)
      await page.getByText('1 tenant', { exact: true }).first().waitFor()
      await row(id).getByText('of 500', { exact: false }).waitFor()
      await shot('found')
      await row(id).getByRole('link', { name: `Test ${stamp}` }).click()
      await state('Active')
      clean()
    })

    test('shows what holds, and sets and clears a limit of its own', async () => {
      const files = page.getByRole('row').filter({ has: page.getByLabel('Files', { exact: true }) })
      const users = page.getByRole('row').filter({ has: page.getByLabel('Users', { exact: true }) })
      await files.getByText('its plan').waitFor()
      await users.getByText('its own').waitFor()
      await files.getByLabel('Files', { exact: true }).fill('900')
      await button('Clear Users').click()
      await button('Save limits').click()
      await files.getByText('its own').waitFor()
      await users.getByText('its own').waitFor({ state: 'detached' })
      await shot('limits')
      clean()
    })

    test('suspends and resumes it', async () => {
      await button('Suspend').click()
      await field('Reason').fill('The invoice is open.')
      await shot('suspend')
      await button('Suspend', dialog()).click()
      await state('Suspended')
      await page.locator('.notice').getByText('The invoice is open.').waitFor()
      await shot('suspended')
      await button('Resume').click()
      await state('Active')
      clean()
    })

    test('adds a hostname, makes it canonical and removes the other', async () => {
      const hosts = page.getByRole('region', { name: 'Hostnames' })
      const item = (host) => hosts.getByRole('listitem').filter({ hasText: host })
      await button('Add', hosts).click()
      await field('Hostname').fill(`new-${id}.example.org`)
      await button('Add', dialog()).click()
      await gone()
      await item(`new-${id}`).waitFor()
      await button(`Make canonical: new-${id}.example.org`).click()
      await item(`new-${id}`).getByText('canonical', { exact: true }).waitFor()
      await button(`Remove ${id}.example.org`).click()
      await button('Remove', dialog()).click()
      await gone()
      await button(`Remove ${id}.example.org`).waitFor({ state: 'detached' })
      await shot('hostnames')
      clean()
    })

    test('takes a deletion back, then deletes at once', async () => {
      await button('Delete').click()
      await field(`Type ${id} to confirm`).fill('something else')
      await button('Delete', dialog()).click()
      await dialog().getByText(`This is not ${id}.`).waitFor()
      await shot('delete')
      await field(`Type ${id} to confirm`).fill(id)
      await button('Delete', dialog()).click()
      await state('Being deleted')
      await shot('deleting')
      await button('Take the deletion back').click()
      await state('Active')
      await button('Delete').click()
      await field(`Type ${id} to confirm`).fill(id)
      await field('Delete at once, with no way back').check()
      await button('Delete', dialog()).click()
      await heading('Tenants').waitFor()
      await page.getByRole('heading', { name: 'No tenant matches' }).waitFor()
      clean()
    })

    test('deletes the plan', async () => {
      await visit('Plans')
      await button(`Delete Plan ${stamp}`).click()
      await button('Delete', dialog()).click()
      await gone()
      await button(`Delete Plan ${stamp}`).waitFor({ state: 'detached' })
      clean()
    })

    test('makes a key, shows it once and revokes it', async () => {
      await visit('Keys')
      await heading('Operator keys').waitFor()
      await button('New key').click()
      await field('Name').fill(`Key ${size} ${stamp}`)
      await button('Create the key').click()
      const secret = page.getByLabel('The new operator key', { exact: true })
      await secret.waitFor()
      await button('Copy').click()
      await button('Copied').waitFor()
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await secret.inputValue())
      await button('Done').click()
      await gone()
      await button(`Revoke Key ${size} ${stamp}`).click()
      await button('Revoke', dialog()).click()
      await gone()
      await button(`Revoke Key ${size} ${stamp}`).waitFor({ state: 'detached' })
      await shot('keys')
      clean()
    })

    test('shows what happened, and forgets the key', async () => {
      await visit('Audit')
      await heading('Audit').waitFor()
      await page.getByRole('cell').first().waitFor()
      await shot('audit')
      await button('Sign out').click()
      await page.getByText('You are signed out.').waitFor()
      assert.equal(await page.evaluate(() => sessionStorage.length), 0)
      clean()
    })
  })
}
