import { expect, onTestFinished, test, vi } from 'vitest'
import { Bodies } from './bodies.ts'

const post = (body: ReadableStream<Uint8Array>) =>
  new Request('http://a', { method: 'POST', body, duplex: 'half' } as RequestInit)
const answer = async (request: Request) => new Response(await request.text())

test('a body that comes in pieces is handed on whole', async () => {
  const pieces = new ReadableStream<Uint8Array>({
    start(to) {
      for (const piece of ['a', 'bc', 'd']) to.enqueue(new TextEncoder().encode(piece))
      to.close()
    },
  })
  const answered = await new Bodies().within(post(pieces), { most: 4, together: 4 }, answer)
  expect(await answered.text()).toBe('abcd')
})

test('one that does not come to its end in time is refused, and gives its room back', async () => {
  const bodies = new Bodies()
  const stuck = new ReadableStream<Uint8Array>({ start: (to) => to.enqueue(new Uint8Array(100_000)) })
  const refused = await bodies.within(post(stuck), { most: 150_000, together: 150_000, wholeMs: 10 }, answer)
  expect([refused.status, await refused.json()]).toMatchObject([408, { error: { code: 'request_timeout' } }])
  const other = new Response(new Uint8Array(150_000)).body!
  expect((await bodies.within(post(other), { most: 150_000, together: 150_000 }, answer)).status).toBe(200)
})

test('one whose reader is dropped, as workerd does when a client leaves, counts no longer than it may take', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const bodies = new Bodies()
  const limits = { most: 150_000, together: 150_000 }
  const full = () => new Response(new Uint8Array(150_000)).body!
  const dropped = bodies.within(post(full()), limits, () => new Promise<Response>(() => undefined))
  await vi.waitFor(async () => expect((await bodies.within(post(full()), limits, answer)).status).toBe(429))
  vi.setSystemTime(Date.now() + 60_001)
  expect((await bodies.within(post(full()), limits, answer)).status).toBe(200)
  void dropped
})
