/** What client and protocol promise at their edges: while waiting, on leaving, and when something went wrong. */
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { completed, events, staged, wire } from '../test/server.ts'
import { Lookahead, LookaheadError } from './index.ts'
import type { RunEvent } from './index.ts'
import { ConnectionError } from './errors.ts'
import { ProtocolError, RunRequest, encodeEvent, eventStream, readEvents, readJson } from './protocol/index.ts'
import { MAX_SEED } from './protocol/sampling.ts'
import { retry } from './protocol/retry.ts'
import { retries } from './retry.ts'

afterEach(() => void vi.useRealTimers())

const baseURL = 'http://lookahead.test'
const question = { prompt: 'What is 6 times 7?' }

/** A client whose requests are answered in this order. */
function clientOf(answers: Response[], options = {}) {
  const fetch = vi.fn(() => Promise.resolve(answers.shift() ?? new Response(null, { status: 418 })))
  return { client: new Lookahead({ baseURL, fetch, maxRetries: 0, ...options }), fetch }
}

const runOf = (list: readonly { type: string }[]) =>
  clientOf([staged([wire(list)]).response]).client.runs.stream(question)

async function failureOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!LookaheadError.isInstance(error)) throw new Error('no failure of the client', { cause: error })
  return error
}

describe('waiting for the next try', () => {
  const lost = new ConnectionError('unreachable')

  it.each([
    ['begins, does not begin', (abort: () => void) => abort()],
    ['goes on, ends', (abort: () => void) => void setTimeout(abort, 10)],
  ])('when the signal is aborted as it %s', async (_, when) => {
    vi.useFakeTimers()
    const { signal, abort } = controller()
    const attempt = vi.fn(() => {
      when(abort)
      return Promise.reject(lost)
    })
    const ended = vi.fn()
    retry(attempt, retries(5, signal)).catch(ended)
    // The next try would come after 375 ms or more.
    await vi.advanceTimersByTimeAsync(20)
    expect(ended).toHaveBeenCalledTimes(1)
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  function controller(): { signal: AbortSignal; abort: () => void } {
    const own = new AbortController()
    return { signal: own.signal, abort: () => own.abort(new Error('left')) }
  }
})

describe('a failure says whether another try may help, and when', () => {
  it.each([
    ['overloaded', true],
    ['target_failed', true],
    ['invalid_request', false],
    ['context_length_exceeded', false],
  ])('a run that failed for %s: %s', async (code, retryable) => {
    expect(await failureOf(runOf([{ type: 'run.failed', code, message: 'm' } as RunEvent]).final())).toMatchObject({
      kind: 'run_failed',
      code,
      retryable,
    })
  })

  it('as the server asks with Retry-After', async () => {
    const busy = new ProtocolError(429, 'overloaded', 'Busy.', { retryAfter: 7 }).toResponse()
    expect(busy.headers.get('retry-after')).toBe('7')
    expect(await failureOf(clientOf([busy]).client.runs.stream(question).final())).toMatchObject({
      status: 429,
      retryable: true,
      retryAfterMs: 7000,
    })
  })

  it.each([
    [400, 'invalid_request_error'],
    [499, 'invalid_request_error'],
    [500, 'server_error'],
    [503, 'server_error'],
  ])('and whose fault it is: %i', (status, type) => {
    expect(new ProtocolError(status, 'x', 'm').body.error.type).toBe(type)
  })
})

describe('a result', () => {
  const step = (type: string, place: number, text: string) => ({ type, step: place, text, reason: 'judge' })

  it('names with a correction the step that it replaces, and no other', async () => {
    const run = runOf([
      step('step.rejected', 0, 'first'),
      step('step.rejected', 1, 'after it'),
      step('step.corrected', 0, 'better'),
      step('step.accepted', 1, 'kept'),
      step('step.corrected', 2, 'own'),
      completed,
    ])
    expect((await run.final()).steps).toEqual([
      { step: 0, text: 'better', fate: 'corrected', reason: 'judge', rejected: 'first' },
      { step: 1, text: 'kept', fate: 'accepted', reason: 'judge' },
      { step: 2, text: 'own', fate: 'corrected' },
    ])
  })

  it('is the same however the run was read', async () => {
    const loop = runOf(events)
    for await (const _ of loop);
    const text = runOf(events)
    for await (const _ of text.textStream);
    expect([await text.final(), await loop.final()]).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining(whole)),
    )
    expect(await runOf(events).final()).toMatchObject(whole)
  })

  const whole = { answer: 'The answer is 42.', reasoning: 'Grüße ✓.\n\nRight.\n\n', finish_reason: 'stop' }
})

it('leaves nothing on a signal that outlives its calls', async () => {
  const { signal } = new AbortController()
  const { client } = clientOf([
    Response.json({ status: 'ok', backend: 'ok' }),
    new Response(null, { status: 500 }),
    staged([wire(events)]).response,
  ])
  await client.health({ signal })
  await failureOf(client.health({ signal }))
  await client.runs.stream(question, { signal }).final()
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('does not try again where it must not', async () => {
  const { client, fetch } = clientOf([new Response(null, { status: 500 }), staged([wire(events)]).response])
  await failureOf(client.runs.stream(question).final())
  expect(fetch).toHaveBeenCalledTimes(1)
})

it('closes a stream that has died, also where its signal does not', async () => {
  const dead = staged([wire(events.slice(0, 2))], 'stall')
  const { client } = clientOf([dead.response], { idleTimeoutMs: 20 })
  expect(await failureOf(client.runs.stream(question).final())).toMatchObject({ kind: 'timeout', code: 'idle' })
  await expect.poll(() => dead.closed).toBe(true)
})

describe('a stream of events', () => {
  type Ticks = AsyncGenerator<{ type: string }, void, undefined>

  function ticking(heartbeatMs = 60_000) {
    const seen = { returned: false, left: 0 }
    async function* ticks(): Ticks {
      try {
        for (;;) yield { type: 'tick' }
      } finally {
        seen.returned = true
      }
    }
    const response = eventStream(ticks(), { ids: true, heartbeatMs, onCancel: () => seen.left++ })
    return { response, seen }
  }

  it('numbers its events from 0', async () => {
    const ids: (string | undefined)[] = []
    for await (const { id } of readEvents(ticking().response.body!)) {
      ids.push(id)
      if (ids.length === 4) break
    }
    expect(ids).toEqual(['0', '1', '2', '3'])
  })

  it('tells whoever makes them that the reader has left, once', async () => {
    const { response, seen } = ticking()
    for await (const _ of readEvents(response.body!)) break
    expect(seen).toEqual({ returned: true, left: 1 })
  })

  it('sends comments while it is silent, and none once the reader has left', async () => {
    const gate = Promise.withResolvers<void>()
    async function* silent(): Ticks {
      await gate.promise
      yield { type: 'late' }
    }
    const reader = eventStream(silent(), { heartbeatMs: 2 }).body!.getReader()
    let seen = ''
    while (!seen.includes(': keepalive')) seen += new TextDecoder().decode((await reader.read()).value)
    const left = reader.cancel()
    // A comment for nobody would be an error that nobody catches.
    await sleep(30)
    gate.resolve()
    await left
  })

  it('leaves no timer behind when the reader leaves', async () => {
    vi.useFakeTimers()
    const reader = ticking().response.body!.getReader()
    await reader.read()
    // The next event waits in the stream.
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(1)
    await reader.cancel()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('closes the body when its events are left', async () => {
    let cancelled = false
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(encodeEvent({ type: 'tick' }))),
      cancel: () => void (cancelled = true),
    })
    for await (const _ of readEvents(body)) break
    expect(cancelled).toBe(true)
  })

  it('is not read on when an event has no end', async () => {
    let sent = 0
    const chunk = new TextEncoder().encode(`data: ${'x'.repeat(2 ** 20)}`)
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++sent > 20) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const read = async (): Promise<void> => {
      for await (const _ of readEvents(body));
    }
    await expect(read()).rejects.toThrow()
    expect(sent).toBeLessThan(10)
  })
})

describe('a request', () => {
  it('whose body was refused while it was read is refused for that', async () => {
    const tooLarge = new ProtocolError(413, 'request_too_large', 'too large')
    const body = new ReadableStream({ pull: (controller) => controller.error(tooLarge) })
    const request = new Request(baseURL, { method: 'POST', body, duplex: 'half' } as RequestInit)
    await expect(readJson(request)).rejects.toBe(tooLarge)
    const nonsense = new Request(baseURL, { method: 'POST', body: '{' })
    await expect(readJson(nonsense)).rejects.toMatchObject({ status: 400, code: 'invalid_json' })
  })

  it('takes seeds that stay apart for all the texts it may ask for', () => {
    const parse = (seed: number) => v.safeParse(RunRequest, { ...question, sampling: { seed } }).success
    expect([parse(MAX_SEED), parse(MAX_SEED + 1), parse(-(2 ** 53)), parse(1.5)]).toEqual([true, false, false, false])
    expect(Number.isSafeInteger(MAX_SEED + 128)).toBe(true)
  })

  it('takes thresholds above 0 and up to 1', () => {
    const parse = (threshold: unknown) => v.safeParse(RunRequest, { ...question, lookahead: { threshold } }).success
    expect([0.25, 1, 1e-9].map(parse)).toEqual([true, true, true])
    expect([0, -0.5, 1.01, '0.25', null].map(parse)).toEqual([false, false, false, false, false])
  })

  it('asks in one of two ways, and has defaults', () => {
    const parse = (request: unknown) => v.safeParse(RunRequest, request)
    const messages = [{ role: 'user', content: 'x' }]
    expect([parse({}), parse({ ...question, messages }), parse({ messages })].map(({ success }) => success)).toEqual([
      false,
      false,
      true,
    ])
    expect(parse(question).output).toMatchObject({
      max_tokens: 1024,
      stop: [],
      lookahead: { mode: 'auto', depth: 8, pipelined: true },
    })
  })
})
