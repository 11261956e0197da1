// The operator API: the only module that opens a connection, and the keeper of the key.
const BASE = '/api/operator'
const KEPT = 'vitrina.operator-key'

/** What the server said when it did not do what was asked (RFC 9457). Status 0: it was not reached. */
export class Problem extends Error {
  constructor(status, problem = {}) {
    super(problem.detail ?? problem.title ?? 'The request was refused.')
    this.status = status
    this.code = problem.code ?? ''
    this.fields = problem.errors ?? []
  }
}

/** The problem of one field, found before anything was sent. */
export const fieldProblem = (field, message) =>
  new Problem(422, { detail: message, errors: [{ field, message }] })

// Private windows may refuse storage: the key then lives as long as the page.
let held = ''

export function currentKey() {
  try {
    return sessionStorage.getItem(KEPT) ?? held
  } catch {
    return held
  }
}

export function keepKey(key) {
  held = key
  try {
    if (key) sessionStorage.setItem(KEPT, key)
    else sessionStorage.removeItem(KEPT)
  } catch {
    // Nothing to do: `held` has it.
  }
}

let refused = () => {}

/** Whom to tell that the server no longer takes the key. */
export function onRefused(callback) {
  refused = callback
}

/** A path with every part of it encoded: at`/tenants/${id}`. */
export const at = (texts, ...parts) =>
  texts.reduce((path, text, index) => path + encodeURIComponent(parts[index - 1]) + text)

async function send(method, path, { query = {}, body, signal } = {}) {
  const key = currentKey()
  const headers = { accept: 'application/json, application/problem+json', authorization: `Bearer ${key}` }
  if (body !== undefined) headers['content-type'] = 'application/json'
  const asked = Object.entries(query).filter(([, value]) => value != null && value !== '')
  const search = asked.length ? `?${new URLSearchParams(asked)}` : ''
  const response = await reach(`${BASE}${path}${search}`, {
    method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer',
  })
  const answer = response.status === 204 ? null : await response.json().catch(() => null)
  signal?.throwIfAborted()
  if (response.ok) return answer
  // An answer to an earlier key says nothing about the one of now.
  if (response.status === 401 && key === currentKey()) refused()
  throw new Problem(response.status, answer ?? { title: `The server answered ${response.status}.` })
}

async function reach(address, options) {
  try {
    return await fetch(address, options)
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new Problem(0, { detail: 'The server could not be reached. Check the connection and try again.' })
  }
}

export const get = (path, query, signal) => send('GET', path, { query, signal })
export const post = (path, body = {}) => send('POST', path, { body })
export const patch = (path, body) => send('PATCH', path, { body })
export const remove = (path, query) => send('DELETE', path, { query })

/** The plans, or none where this key may not read them. */
export async function plans(signal) {
  return allowed(get('/plans', {}, signal).then((answer) => answer.items), [])
}

let known

/** Every limit and feature there is, with its unit and what it means. It never changes while running. */
export function catalogue() {
  known ??= get('/limits').catch((error) => {
    known = undefined
    throw error
  })
  return known
}

/** What was asked for, or `otherwise` where the key lacks the scope for it. */
export async function allowed(asked, otherwise) {
  try {
    return await asked
  } catch (error) {
    if (error.status === 403) return otherwise
    throw error
  }
}
