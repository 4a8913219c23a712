import { ProtocolError } from '@lookahead/sdk/protocol'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Calls } from './calls.ts'
import { stream, streamOnceBegun } from './stream.ts'
import type { Encoder } from './stream.ts'

const encoder: Encoder<number> = {
  event: (event) => `data: ${event}\n\n`,
  error: ({ code }) => `data: ${code}\n\n`,
  end: 'data: end\n\n',
}

/** A call, what becomes of it, and events that tell when they are over. */
function staged(work: (signal: AbortSignal) => AsyncIterable<number>) {
  const calls = new Calls()
  const connection = new AbortController()
  const begun = calls.begin({ connection: connection.signal })
  const call = { ...begun, end: vi.fn(begun.end) }
  const over = vi.fn()
  async function* events(): AsyncGenerator<number, void, undefined> {
    try {
      yield* work(call.signal)
    } finally {
      over()
    }
  }
  const expectOver = async (): Promise<void> => {
    await expect.poll(() => call.end.mock.calls.length).toBe(1)
    expect([calls.running, over.mock.calls.length]).toEqual([0, 1])
  }
  return { calls, call, connection, events: events(), expectOver }
}

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield i
}

async function* failing(): AsyncGenerator<number> {
  yield* count(0)
  throw new ProtocolError(409, 'context_lost', 'staged')
}

async function* endless(signal: AbortSignal): AsyncGenerator<number> {
  for (let i = 1; ; i++) {
    signal.throwIfAborted()
    if (i % 100 === 0) await new Promise(setImmediate)
    yield i
  }
}

async function* stuck(signal: AbortSignal): AsyncGenerator<number> {
  yield 1
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
}

const data = (text: string): string[] => Array.from(text.matchAll(/data: (.*)/g), ([, line]) => line!)

test.each([
  ['at once', stream],
  ['once begun', streamOnceBegun],
])('%s: all events, then the end', async (_, respond) => {
  const { call, events, expectOver } = staged(() => count(3))
  const response = await respond(call, events, encoder)
  expect(data(await response.text())).toEqual(['1', '2', '3', 'end'])
  await expectOver()
})

test('what fails is told in the stream, or thrown where the first event is waited for', async () => {
  const told = staged(failing)
  expect(data(await stream(told.call, told.events, encoder).text())).toEqual(['context_lost'])
  await told.expectOver()
  const thrown = staged(failing)
  await expect(streamOnceBegun(thrown.call, thrown.events, encoder)).rejects.toMatchObject({ status: 409 })
  expect(thrown.call.end).not.toHaveBeenCalled()
})

test('who waits hears every second that the server lives', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { call, events, connection, expectOver } = staged(stuck)
  const reader = stream(call, events, encoder).body!.getReader()
  const heard = async () => new TextDecoder().decode((await reader.read()).value)
  expect([await heard(), await heard()]).toEqual([': ok\n\n', 'data: 1\n\n'])
  for (let second = 0; second < 3; second++) {
    vi.advanceTimersByTime(1_000)
    expect(await heard()).toBe(': keepalive\n\n')
  }
  // Whoever polls needs a clock that goes.
  vi.useRealTimers()
  connection.abort()
  await expectOver()
})

test.each([
  ['at once', stream],
  ['once begun', streamOnceBegun],
])('%s: wherever the client leaves, the work is aborted and over, and the call ended once', async (_, respond) => {
  for (const work of [endless, stuck])
    for (const reads of [0, 1, 2]) {
      const { call, events, expectOver } = staged(work)
      const reader = (await respond(call, events, encoder)).body!.getReader()
      for (let i = 0; i < reads; i++) await reader.read()
      const waiting = reads > 0 ? reader.read() : undefined
      await reader.cancel()
      await waiting
      expect(call.signal.reason).toMatchObject({ code: 'client_left' })
      await expectOver()
    }
})

test.each([endless, stuck])('a connection that closes ends all, though nobody reads or cancels (%o)', async (work) => {
  const { call, connection, events, expectOver } = staged(work)
  const unread = stream(call, events, encoder)
  connection.abort()
  await expectOver()
  await unread.body!.cancel()
  await expectOver()
})

test('who still reads after the connection has closed hears why the answer ends', async () => {
  for (const work of [endless, stuck]) {
    const { call, connection, events, expectOver } = staged(work)
    const text = stream(call, events, encoder).text()
    await new Promise(setImmediate)
    connection.abort()
    expect(data(await text).at(-1)).toBe('client_left')
    await expectOver()
  }
})

test('a server that stops says so to a client that has not read yet', async () => {
  const { calls, call, events, expectOver } = staged(endless)
  const unread = stream(call, events, encoder)
  calls.abort()
  expect(data(await unread.text())).toEqual(['1', 'draining'])
  await expectOver()
})
