// What is waiting, going up and done. It knows neither the page nor the network.

/** States: waiting, sending, working (the server thinks), done, failed, cancelled. */
const OPEN = ['waiting', 'sending', 'working']

/** Milliseconds before the next try after a failure that may pass. */
const PAUSES = [1000, 4000]

/**
 * @param send    (item, { signal, onProgress }) => Promise of the media item
 * @param changed called with an item whenever it changed
 */
export class Queue {
  #items = []
  #running = 0

  constructor({ send, changed = () => {}, parallel = 3, pauses = PAUSES, wait = pause }) {
    Object.assign(this, { send, changed, parallel, pauses, wait })
  }

  get items() {
    return this.#items
  }

  get done() {
    return this.#items.filter((item) => item.state === 'done').map((item) => item.media)
  }

  get isBusy() {
    return this.#items.some((item) => OPEN.includes(item.state))
  }

  /** Adds a source `{ file | url, fields }`. A `refusal` says why it will not even be tried. */
  add(source, refusal = null) {
    const item = { ...source, id: this.#items.length, state: 'waiting', sent: 0, total: source.file?.size ?? 0 }
    this.#items.push(item)
    if (refusal) this.#set(item, { state: 'failed', problem: new Error(refusal), isFinal: true })
    else this.#set(item, {})
    this.#fill()
    return item
  }

  cancel(item) {
    if (!OPEN.includes(item.state)) return
    this.#set(item, { state: 'cancelled' })
    item.abort?.abort()
  }

  /** Tries again, with other fields where some are given. */
  retry(item, fields = {}) {
    if (OPEN.includes(item.state) || item.isFinal) return
    item.fields = { ...item.fields, ...fields }
    this.#set(item, { state: 'waiting', sent: 0, problem: null })
    this.#fill()
  }

  #set(item, change) {
    Object.assign(item, change)
    this.changed(item)
  }

  #fill() {
    for (const item of this.#items) {
      if (this.#running >= this.parallel) return
      if (item.state === 'waiting' && !item.isHeld) this.#run(item)
    }
  }

  async #run(item) {
    this.#running += 1
    item.isHeld = true
    const abort = new AbortController()
    item.abort = abort
    try {
      this.#set(item, { state: item.file ? 'sending' : 'working' })
      const media = await this.#insist(item, abort.signal)
      if (!abort.signal.aborted) this.#set(item, { state: 'done', media })
    } catch (problem) {
      if (!abort.signal.aborted) this.#set(item, { state: 'failed', problem })
    } finally {
      this.#running -= 1
      item.isHeld = false
      this.#fill()
    }
  }

  async #insist(item, signal) {
    const onProgress = (sent, total) => {
      if (signal.aborted) return
      const state = total && sent >= total ? 'working' : 'sending'
      this.#set(item, { state, sent, total })
    }
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.send(item, { signal, onProgress })
      } catch (problem) {
        if (signal.aborted || !problem.isPassing || attempt >= this.pauses.length) throw problem
        this.#set(item, { state: 'sending', sent: 0 })
        await this.wait(this.pauses[attempt], signal)
      }
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new DOMException('cancelled', 'AbortError'))
    }, { once: true })
  })
}
