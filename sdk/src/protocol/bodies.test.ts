import { expect, onTestFinished, test, vi } from 'vitest'
import { Bodies } from './bodies.ts'

const post = (body: ReadableStream<Uint8Array>, headers = {}) =>
  new Request('http://a', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
/** Only what hangs takes so long. */
const HANG = { timeout: 300_000 }
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
  const another = async (): Promise<number> => (await bodies.within(post(full()), limits, answer)).status
  await vi.waitFor(async () => expect(await another()).toBe(429), HANG)
  vi.setSystemTime(Date.now() + 60_001)
  expect((await bodies.within(post(full()), limits, answer)).status).toBe(200)
  void dropped
})

test.each([
  ['whose length is told', { 'content-length': '60000' }],
  ['in chunks', {}],
])(
  'small ones %s that do not end are bounded too, and go on where large ones have all the room',
  async (_, headers) => {
    const bodies = new Bodies()
    const limits = { most: 1_000_000, together: 1_000_000 }
    const left = new AbortController()
    onTestFinished(() => left.abort())
    const begun: Promise<Response>[] = []
    const statuses: number[] = []
    /** All but the last byte of it comes. */
    const upload = (bytes: number, told = {}): void => {
      const body = new ReadableStream<Uint8Array>({
        start(to) {
          to.enqueue(new Uint8Array(bytes - 1))
          left.signal.addEventListener('abort', () => to.close())
        },
      })
      const answering = bodies.within(post(body, told), limits, answer)
      begun.push(answering)
      void answering.then(({ status }) => statuses.push(status))
    }
    const small = async (): Promise<number> =>
      (await bodies.within(post(new Response(new Uint8Array(60_000)).body!, headers), limits, answer)).status
    upload(1_000_000)
    expect(await small()).toBe(200)
    for (let i = 0; i < 100; i++) upload(60_000, headers)
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(80), HANG)
    expect(new Set(statuses)).toEqual(new Set([429]))
    expect(await small()).toBe(429)
    left.abort()
    await Promise.all(begun)
    expect(await small()).toBe(200)
  },
)
