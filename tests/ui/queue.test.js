import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem, outOfReach } from '../../assets/ui/api.js'
import { Queue } from '../../assets/ui/parts/queue.js'

const settled = () => new Promise((resolve) => setTimeout(resolve, 5))
const file = (name, size = 10) => ({ name, size })

// A server whose answers are given by hand.
function slow() {
  const calls = []
  const send = (item, { signal, onProgress }) =>
    new Promise((resolve, reject) => {
      calls.push({ item, resolve, reject, onProgress })
      signal.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')))
    })
  return { calls, send }
}

test('as many go up at once as may, in the order in which they came', async () => {
  const { calls, send } = slow()
  const queue = new Queue({ send, parallel: 2 })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => queue.add({ file: file(name) }))
  assert.deepEqual([a.state, b.state, c.state], ['sending', 'sending', 'waiting'])
  calls[0].resolve({ id: 1 })
  await settled()
  assert.deepEqual([a.state, c.state, calls.length], ['done', 'sending', 3])
  assert.deepEqual(queue.done, [{ id: 1 }])
})

test('progress is told, and when all is sent the server thinks', () => {
  const { calls, send } = slow()
  const seen = []
  const queue = new Queue({ send, changed: ({ state, sent }) => seen.push(`${state} ${sent}`) })
  queue.add({ file: file('a') })
  calls[0].onProgress(4, 10)
  calls[0].onProgress(10, 10)
  assert.deepEqual(seen, ['waiting 0', 'sending 0', 'sending 4', 'working 10'])
})

test('a network that comes back is waited for', async () => {
  let tries = 0
  const send = async () => {
    tries += 1
    if (tries < 3) throw outOfReach()
    return { id: 1 }
  }
  const queue = new Queue({ send, pauses: [1, 1], wait: async () => {} })
  const item = queue.add({ file: file('a') })
  await settled()
  assert.deepEqual([item.state, tries], ['done', 3])
})

test('what the server refuses is not tried again by itself, but may be by hand', async () => {
  let tries = 0
  const send = async () => {
    tries += 1
    throw new Problem(415, { detail: 'not a picture' })
  }
  const queue = new Queue({ send, wait: async () => {} })
  const item = queue.add({ file: file('a') })
  await settled()
  assert.deepEqual([item.state, item.problem.message, tries], ['failed', 'not a picture', 1])
  queue.retry(item)
  await settled()
  assert.equal(tries, 2)
})

test('cancelling ends the request and lets the next one go', async () => {
  const { calls, send } = slow()
  const queue = new Queue({ send, parallel: 1 })
  const [a, b] = ['a', 'b'].map((name) => queue.add({ file: file(name) }))
  queue.cancel(a)
  await settled()
  assert.deepEqual([a.state, b.state], ['cancelled', 'sending'])
  queue.cancel(b)
  queue.retry(b)
  await settled()
  assert.deepEqual([b.state, calls.length, queue.isBusy], ['sending', 3, true])
})

test('what is refused beforehand is never sent', async () => {
  const { calls, send } = slow()
  const queue = new Queue({ send })
  const item = queue.add({ file: file('a') }, 'too large')
  queue.retry(item)
  assert.deepEqual([item.state, item.problem.message, calls.length], ['failed', 'too large', 0])
})

test('a duplicate can be sent again as a second copy', async () => {
  const seen = []
  const queue = new Queue({ send: async ({ fields }) => seen.push(fields) && { id: 1, duplicate: seen.length === 1 } })
  const item = queue.add({ file: file('a'), fields: { nsfw: false } })
  await settled()
  assert.equal(item.media.duplicate, true)
  queue.retry(item, { allow_duplicate: true })
  await settled()
  assert.deepEqual(seen, [{ nsfw: false }, { nsfw: false, allow_duplicate: true }])
})
