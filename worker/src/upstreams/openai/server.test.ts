/** One server that fails: what is asked again, what is told of it, and that nothing is left open. */
import { setImmediate } from 'node:timers/promises'
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Server } from './server.ts'

const network = setupServer()
beforeAll(() => network.listen())
afterAll(() => network.close())

const asked: string[] = []
beforeEach(() => {
  asked.length = 0
  network.resetHandlers()
})

const url = 'http://engine.test'
const { signal } = new AbortController()

/** Answers in turn, the last of them for ever. */
function answers(...all: (() => Response)[]): void {
  network.use(
    http.post(`${url}/*`, ({ request }) => {
      asked.push(`${new URL(request.url).pathname} ${request.headers.get('authorization')}`)
      return (all.length > 1 ? all.shift()! : all[0]!)()
    }),
  )
}

const server = (link = {}, role: Server['role'] = 'target') =>
  new Server(role, { url, model: 'big', apiKey: 'k' }, link)
const ask = (link = {}, one = server(link)) => one.ask('/chat/completions', {}, v.object({ ok: v.boolean() }), signal)
const good = () => HttpResponse.json({ ok: true })
const refuse =
  (status: number, message = 'no', headers = {}) =>
  () =>
    HttpResponse.json({ error: { message } }, { status, headers })
const stream = (text: string) => () => new HttpResponse(text, { headers: { 'content-type': 'text/event-stream' } })
const chunk = (text: string, end: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, text, finish_reason: end }] })}\n\n`

async function written(prompts = ['x'], link = {}): Promise<string> {
  let said = ''
  const writing = { maxTokens: 8, sampling: {} }
  const pieces = server(link).write(prompts, writing, { extensions: false, batch: true }, signal)
  for await (const { text } of pieces) said += text
  return said
}

/** A server that says the same for ever, or until its reader leaves. */
function endless(text: string, status = 200) {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  const bytes = new TextEncoder().encode(text)
  // Not by msw, which would read on behind the reader's back.
  const fetch = () => {
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      await setImmediate()
      controller.enqueue(bytes)
    }
    return Promise.resolve(new Response(new ReadableStream({ pull, cancel: () => resolve() }), { status }))
  }
  return { fetch, left }
}

describe('is asked again', () => {
  test.each([408, 409, 429, 500, 502, 503, 504, 522, 530])('after %i, as soon as it allows', async (status) => {
    answers(refuse(status, 'no', { 'retry-after': '0' }), good)
    expect(await ask()).toEqual({ ok: true })
    expect(asked).toEqual(['/v1/chat/completions Bearer k', '/v1/chat/completions Bearer k'])
  })

  test.each([
    ['draft', true, [500, 1_000], { code: 'unreachable', retryable: true }],
    ['judge', true, [500, 1_000], { code: 'unreachable', retryable: true }],
    // As long as it may take, of a text that has begun; else a third of it.
    ['target', true, [500, 1_000, 2_000, ...Array<number>(14).fill(4_000)], { code: 'unreachable', retryable: false }],
    ['target', false, [500, 1_000, 2_000, ...Array<number>(4).fill(4_000)], { code: 'unreachable', retryable: false }],
  ] as const)(
    'where it could not be reached: %s, which has answered before: %s',
    async (role, isBegun, waits, error) => {
      vi.spyOn(Math, 'random').mockReturnValue(0)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
      try {
        const one = server({}, role)
        if (isBegun) {
          answers(good)
          await ask({}, one)
        }
        asked.length = 0
        answers(() => HttpResponse.error())
        const failed = expect(ask({}, one)).rejects.toMatchObject(error)
        await vi.advanceTimersByTimeAsync(0)
        for (const [i, ms] of waits.entries()) {
          await expect.poll(() => asked.length).toBe(i + 1)
          await expect.poll(() => vi.getTimerCount()).toBe(1)
          await vi.advanceTimersByTimeAsync(ms)
        }
        await failed
        expect(asked).toHaveLength(waits.length + 1)
      } finally {
        vi.useRealTimers()
        vi.restoreAllMocks()
      }
    },
  )

  test('never, where it accepts a call and stays silent: that takes all the time there is', async () => {
    let calls = 0
    const fetch = () => {
      calls++
      return new Promise<Response>(() => undefined)
    }
    await expect(ask({ fetch, timeoutMs: 50 })).rejects.toMatchObject({ code: 'unreachable', retryable: false })
    expect(calls).toBe(1)
  })
})

test.each([
  [400, 'no', 'invalid_request'],
  [400, "this model's maximum context length is 8 tokens", 'context_length_exceeded'],
  [401, 'no', 'unauthorized'],
  [404, 'no', 'not_found'],
  [501, 'no', 'http_501'],
])('%i (%s) is final: %s', async (status, message, code) => {
  answers(refuse(status, message))
  await expect(ask()).rejects.toMatchObject({ code, status, cause: message, retryable: false })
  expect(asked).toHaveLength(1)
})

test('an answer of another form is told', async () => {
  answers(stream('<h1>Welcome</h1>'))
  await expect(ask()).rejects.toMatchObject({ code: 'bad_answer' })
})

describe('a stream', () => {
  test('is read to the end of its text, whatever comes after', async () => {
    answers(stream(`${chunk('a')}: a comment\n\n${chunk('b', 'stop')}data: {"usage": {}}\n\ndata: [DONE]\n\n`))
    expect(await written()).toBe('ab')
  })

  test.each([
    ['is cut', chunk('a'), 'stream_cut'],
    ['is done too early', `${chunk('a')}data: [DONE]\n\n`, 'stream_cut'],
    ['is garbled', `${chunk('a')}data: {"cho\n\n`, 'stream_cut'],
    ['tells of a failure', `${chunk('a')}data: {"error": {"message": "out of memory"}}\n\n`, 'failed'],
  ])('that %s can be gone on with', async (_, text, code) => {
    answers(stream(text))
    await expect(written()).rejects.toMatchObject({ code, retryable: true })
    expect(asked).toHaveLength(1)
  })
})

describe('a server that does other than it was asked', () => {
  const choice = (rest: object) => `data: ${JSON.stringify({ choices: [{ text: 'a', ...rest }] })}\n\n`

  test.each([
    ['never ends, and tells ids', choice({ token_ids: [1] })],
    ['never ends, and tells none', choice({ text: 'a'.repeat(1000) })],
    ['says much and no ids of it', choice({ text: 'a'.repeat(1000), token_ids: [] })],
  ])('%s: it is left, with one code', async (_, event) => {
    const { fetch, left } = endless(event)
    await expect(written(['x'], { fetch })).rejects.toMatchObject({ code: 'bad_answer', retryable: false })
    await left
  })

  test.each([
    ['comments', ': keepalive\n\n'],
    ['chunks of nothing', choice({ text: '' })],
    ['chunks without a choice', 'data: {"choices": []}\n\n'],
  ])('sends %s for ever: it is as silent as one that sends nothing', async (_, event) => {
    const { fetch, left } = endless(event)
    await expect(written(['x'], { fetch, timeoutMs: 100 })).rejects.toMatchObject({ code: 'idle' })
    await left
  })

  test('says more tokens than it may, and ends', async () => {
    answers(stream(choice({ token_ids: [1, 2, 3, 4, 5, 6, 7, 8, 9], finish_reason: 'stop' })))
    await expect(written()).rejects.toMatchObject({ code: 'bad_answer' })
  })

  test('goes on with a prompt that it was not given', async () => {
    answers(stream(choice({ index: 1, finish_reason: 'stop' }) + chunk('b', 'stop')))
    await expect(written()).rejects.toMatchObject({ code: 'bad_answer' })
  })

  test('says more of a text that has ended: that is left out', async () => {
    answers(stream(chunk('a', 'stop') + chunk('a', 'stop') + choice({ index: 1, text: 'b', finish_reason: 'stop' })))
    expect(await written(['x', 'y'])).toBe('ab')
  })

  test.each([
    ['an answer', 200, 'bad_answer'],
    ['the words of a refusal', 501, 'http_501'],
  ])('says %s of more than can be held: no more than is wanted is read', async (_, status, code) => {
    const { fetch, left } = endless('a'.repeat(2 ** 20), status)
    await expect(ask({ fetch })).rejects.toMatchObject({ code })
    await left
  })

  test('its words are for the log, not for clients', async () => {
    answers(refuse(400, 'secret words'))
    await expect(ask()).rejects.toMatchObject({ message: expect.not.stringContaining('secret') })
    answers(stream(`${chunk('a')}data: {"error": {"message": "secret words"}}\n\n`))
    await expect(written()).rejects.toMatchObject({ message: expect.not.stringContaining('secret') })
  })
})
