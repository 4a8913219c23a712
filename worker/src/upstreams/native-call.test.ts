import { VerifyEvent, encodeEvent } from '@lookahead/sdk/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { commits, context } from '../../test/fake-backend.ts'
import { callForEvents } from './native-call.ts'

afterEach(() => void vi.useRealTimers())

const opened = context()

/** A call of a backend that says this and then nothing, without closing the stream. */
function call(...said: object[]) {
  let left = false
  const abort = new AbortController()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const event of said) controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`))
    },
    cancel: () => void (left = true),
  })
  // Like an engine in this process, it does not listen to the signal.
  const post = { url: 'http://x', headers: {}, body: '', fetch: async () => new Response(body) }
  const times = { headersMs: 5_000, idleMs: 5_000, progressMs: 5_000 }
  return { events: callForEvents({ ...post, ...times }, VerifyEvent, abort.signal), abort, left: () => left }
}

async function readAll(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

test.each([
  ['an event of no form', [opened, { type: 'commit' }], 'bad_event'],
  [
    'a failure',
    [opened, { type: 'error', error: { code: 'overloaded', message: 'busy', type: 'x', param: null } }],
    'overloaded',
  ],
])('after %s the connection is closed', async (_, said, code) => {
  const { events, left } = call(...said)
  await expect(readAll(events)).rejects.toMatchObject({ code })
  expect(left()).toBe(true)
})

test('a reader that leaves, or a run that is over while it waits, closes the connection', async () => {
  const leaving = call(opened)
  for await (const _ of leaving.events) break
  expect(leaving.left()).toBe(true)

  const waiting = call(opened)
  await waiting.events.next()
  const next = waiting.events.next()
  waiting.abort.abort(new Error('over'))
  await expect(next).rejects.toThrow('over')
  expect(waiting.left()).toBe(true)
})

test('events that nobody knows do not bring a text forward', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const done = commits([], { text: '', tokens: [] }).events.at(-1)!
  const said = [opened, ...Array.from({ length: 9 }, () => ({ type: 'mood' })), done].map((event) => encodeEvent(event))
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        vi.advanceTimersByTime(900)
        controller.enqueue(new TextEncoder().encode(said.shift()))
      },
    },
    { highWaterMark: 0 },
  )
  const post = { url: 'http://x', headers: {}, body: '', fetch: async () => new Response(body) }
  const times = { headersMs: 1_000, idleMs: 1_000, progressMs: 5_000 }
  const events = callForEvents({ ...post, ...times }, VerifyEvent, new AbortController().signal)
  await expect(readAll(events)).rejects.toMatchObject({ code: 'stuck' })
})
