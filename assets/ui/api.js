// The public API: the only module that opens a connection.
const BASE = '/api/v2'

/** What the server said when it did not do what was asked (RFC 9457). Status 0: it was not reached. */
export class Problem extends Error {
  constructor(status, problem = {}) {
    super(problem.detail ?? problem.title ?? 'The request was refused.')
    this.status = status
    this.code = problem.code ?? ''
    this.fields = problem.errors ?? []
  }

  /** Trying the same again may help: the network was away, or the server was busy. */
  get isPassing() {
    return [0, 408, 429, 502, 503, 504].includes(this.status)
  }
}

export const outOfReach = () => new Problem(0, { detail: 'The server could not be reached.' })

/**
 * Sends a new picture: `{ file }` or `{ url }`, and the fields that go with it.
 * Resolves to the media item; `onProgress(sent, total)` is told of the bytes of a file.
 */
export function createMedia({ file, url, ...fields }, { onProgress = () => {}, signal } = {}) {
  const { body, type } = url ? asJson({ url, ...fields }) : asForm(file, fields)
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `${BASE}/media`)
    request.responseType = 'text'
    request.setRequestHeader('accept', 'application/json, application/problem+json')
    if (type) request.setRequestHeader('content-type', type)
    request.upload.addEventListener('progress', (event) => onProgress(event.loaded, event.total))
    request.addEventListener('load', () => {
      const answer = parse(request.responseText)
      if (request.status >= 200 && request.status < 300 && answer) resolve(answer)
      else reject(new Problem(request.status, answer ?? { title: request.statusText }))
    })
    request.addEventListener('error', () => reject(outOfReach()))
    request.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')))
    signal?.addEventListener('abort', () => request.abort(), { once: true })
    if (signal?.aborted) return reject(new DOMException('cancelled', 'AbortError'))
    request.send(body)
  })
}

function asJson(fields) {
  return { body: JSON.stringify(fields), type: 'application/json' }
}

function asForm(file, fields) {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) body.append(name, String(one))
  }
  // The file comes last, so that the server knows all about it when its bytes arrive.
  body.append('file', file, file.name || 'picture')
  return { body }
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
