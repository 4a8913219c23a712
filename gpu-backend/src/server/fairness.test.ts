/** One call, or one client, leaves room for the others. */
import type { ProtocolError } from '@lookahead/sdk/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'
import { engine, messages, post, someTokens } from '../../test/served.ts'

const overloaded = expect.objectContaining<Partial<ProtocolError>>({ status: 429, retryAfter: expect.any(Number) })
const { signal } = new AbortController()

describe('the queue', () => {
  test('takes small prompts, however many tokens one call brought', () => {
    const calls = new Calls({ tokens: 100 })
    const large = calls.begin({ connection: signal })
    large.reads(1000)
    const small = calls.begin({ connection: signal })
    small.reads(50)
    const refused = calls.begin({ connection: signal })
    expect(() => refused.reads(40)).toThrow(overloaded)
    refused.reads(20)
    expect(() => refused.reads(20)).toThrow(overloaded)
    for (const call of [large, small, refused]) call.end()
    expect(() => calls.begin({ connection: signal }).reads(1000)).not.toThrow()
  })

  test('takes calls of a client who has few, however many another has', () => {
    const calls = new Calls({ requests: 4 })
    const many = Array.from({ length: 4 }, () => calls.begin({ connection: signal, client: 'a' }))
    expect(() => calls.begin({ connection: signal, client: 'a' })).toThrow(overloaded)
    const few = [calls.begin({ connection: signal, client: 'b' }), calls.begin({ connection: signal, client: 'b' })]
    for (const client of ['a', 'b']) expect(() => calls.begin({ connection: signal, client })).toThrow(overloaded)
    calls.begin({ connection: signal, client: 'c' }).end()
    for (const call of [...many, ...few]) call.end()
    expect(calls.running).toBe(0)
  })
})

test('a client without prompts in the queue has its share of it, however many calls another fills it with', () => {
  const calls = new Calls({ tokens: 1000 })
  const many = Array.from({ length: 100 }, () => calls.begin({ connection: signal, client: 'a' }))
  for (const call of many) call.reads(10)
  expect(() => calls.begin({ connection: signal, client: 'a' }).reads(100)).toThrow(overloaded)
  const other = calls.begin({ connection: signal, client: 'b' })
  other.reads(400)
  expect(() => other.reads(200)).toThrow(overloaded)
  other.end()
  expect(() => calls.begin({ connection: signal, client: 'b' }).reads(500)).not.toThrow()
})

test('small requests are let in and answered while a call with a queue full of prompts is at work', async () => {
  const calls = new Calls({ tokens: 60_000 })
  const on = createApp({ engine: () => engine, draining: () => false, calls })
  const prompt = Array.from({ length: 70 }, (_, i) => someTokens(1000 + i).slice(i))
  const large = post('/v1/completions', { model: 'draft', prompt, max_tokens: 1 }, on)
  await expect.poll(() => engine.stats.draft!.running, { interval: 1 }).toBeGreaterThan(0)
  const forwards: number[] = []
  while (forwards.length < 20) {
    const before = engine.stats.draft!.forwards
    const small = { model: 'draft', prompt: Array.from({ length: 5 }, () => forwards.length), max_tokens: 1 }
    const response = await post('/v1/completions', small, on)
    expect(response.status).toBe(200)
    await response.text()
    forwards.push(engine.stats.draft!.forwards - before)
  }
  expect(calls.running).toBe(1)
  // Prompts of two forwards stand before it; all of them would take more than a hundred.
  expect(Math.max(...forwards)).toBeLessThan(30)
  expect(await (await large).json()).toHaveProperty('choices.length', 70)
})

describe('the share of the queue', () => {
  /** @returns what calls for two tokens, and does not read the answer: the call is queued until the test is over */
  function serve(requests: number, token?: string[]) {
    const on = createApp({ engine: () => engine, draining: () => false, calls: new Calls({ requests }), token })
    const queued: Response[] = []
    onTestFinished(async () => {
      for (const { body } of queued) await body!.cancel()
    })
    const call = (key: string, address: string, context: object = {}) => {
      const id = `run-${queued.length}`
      const body = { context: { id, messages, ...context }, max_tokens: 5, step_rules: { max_tokens: 2 } }
      const headers = { authorization: `Bearer ${key}` }
      const from = { incoming: { socket: { remoteAddress: address } } }
      return on.request('/v1/verify', { method: 'POST', body: JSON.stringify(body), headers }, from)
    }
    return {
      call,
      async queue(...asked: Parameters<typeof call>): Promise<number> {
        const response = await call(...asked)
        queued.push(response)
        return response.status
      },
    }
  }

  const times = Array.from({ length: 4 }, (_, i) => i)

  test('goes by address where no token is asked for, whatever tokens are invented', async () => {
    const { queue } = serve(4)
    for (const i of times) expect(await queue(`invented-${i}`, '10.0.0.1')).toBe(200)
    expect(await queue('invented-4', '10.0.0.1')).toBe(429)
    expect(await queue('honest', '10.0.0.2')).toBe(200)
  })

  test('goes by token, and for one token by salt: a worker has one for each of its clients', async () => {
    const { call, queue } = serve(4, ['worker', 'other'])
    for (const id of ['b', 'c']) await (await call('worker', '10.0.0.1', { id, cache_salt: id })).text()
    for (const _ of times) expect(await queue('worker', '10.0.0.1', { cache_salt: 'a' })).toBe(200)
    expect(await queue('worker', '10.0.0.1', { cache_salt: 'a' })).toBe(429)
    expect(await queue('worker', '10.0.0.1', { cache_salt: 'd' })).toBe(200)
    // A run that goes on does not say its salt again.
    for (const id of ['b', 'c'])
      expect(await queue('worker', '10.0.0.1', { id, messages: undefined, length: 2 })).toBe(200)
    expect(await queue('worker', '10.0.0.1', { cache_salt: 'd' })).toBe(429)
    expect(await queue('other', '10.0.0.1')).toBe(200)
  })

  test('leaves other tokens theirs, whatever salts one invents', async () => {
    const { queue } = serve(4, ['one', 'other'])
    for (const i of times) expect(await queue('one', '10.0.0.1', { cache_salt: `invented-${i}` })).toBe(200)
    expect(await queue('other', '10.0.0.1')).toBe(200)
  })
})
