// The operator console: signs in, and shows the view that the address names.
import { currentKey, keepKey, onRefused } from './api.js'
import { audit } from './audit.js'
import { keys } from './keys.js'
import { failure } from './page.js'
import { plansPage } from './plans.js'
import { signInPage } from './sign-in.js'
import { refreshStatus } from './status.js'
import { tenant } from './tenant.js'
import { tenants } from './tenants.js'

const main = document.getElementById('content')
let leaving = new AbortController()

// Each view resolves to its element; `title` is what stands in the window's.
const VIEWS = {
  tenants: (place) => (place.id ? tenant(place) : tenants(place)),
  plans: plansPage,
  keys,
  audit,
}
const TITLES = { tenants: 'Tenants', plans: 'Plans', keys: 'Keys', audit: 'Audit' }

/** `#/tenants/alice?q=x` as its view, id and query. */
function place() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [name, id] = path.split('/')
  return { name: Object.hasOwn(VIEWS, name) ? name : 'tenants', id: decode(id), query: new URLSearchParams(search) }
}

function decode(part = '') {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

// A dialog belongs to the view it was opened on.
function leave() {
  leaving.abort()
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close()
}

async function show({ focus = true } = {}) {
  leave()
  if (!currentKey()) return showSignIn()
  leaving = new AbortController()
  const { signal } = leaving
  const { name, id, query } = place()
  signedIn(true)
  mark(name, id)
  refreshStatus()
  main.setAttribute('aria-busy', 'true')
  const content = await make(name, { id, query, signal })
  if (signal.aborted) return
  main.removeAttribute('aria-busy')
  main.replaceChildren(content)
  scrollTo(0, 0)
  if (focus) main.querySelector('h1')?.focus({ preventScroll: true })
}

async function make(name, { id, query, signal }) {
  try {
    return await VIEWS[name]({ id, query, signal })
  } catch (error) {
    if (error.status === undefined && error.name !== 'AbortError') console.error(error)
    return failure(error, () => show())
  }
}

function mark(name, id) {
  document.title = `${id || TITLES[name]} · Operator console · Vitrina`
  for (const link of document.querySelectorAll('.console-nav a')) {
    if (link.getAttribute('href') === `#/${name}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
}

function signedIn(yes) {
  for (const part of document.querySelectorAll('[data-signed-in]')) part.hidden = !yes
}

function showSignIn(why) {
  leave()
  signedIn(false)
  main.removeAttribute('aria-busy')
  document.title = 'Sign in · Operator console · Vitrina'
  main.replaceChildren(signInPage(() => show(), why))
  main.querySelector('input').focus()
}

// While signing in, the sign-in form itself says what is wrong with the key.
onRefused(() => {
  if (document.querySelector('[data-signed-in]').hidden) return
  keepKey('')
  showSignIn('The server no longer takes this key. Sign in again.')
})

document.getElementById('sign-out').addEventListener('click', () => {
  keepKey('')
  showSignIn('You are signed out. The key is forgotten here.')
})
// The hash names the view, so the way to the content cannot be one.
document.querySelector('[data-skip]').addEventListener('click', (event) => {
  event.preventDefault()
  main.focus()
})
addEventListener('hashchange', () => show())
show({ focus: false })
