/** One call, or one client, leaves room for the others. */
import type { ProtocolError } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'
import { engine, post, someTokens } from './openai/stage.ts'

const overloaded = expect.objectContaining<Partial<ProtocolError>>({ status: 429, retryAfter: expect.any(Number) })
const { signal } = new AbortController()

describe('the queue', () => {
  test('takes small prompts, however many tokens one call brought', () => {
    const calls = new Calls({ tokens: 100 })
    const large = calls.begin(signal)
    large.reads(1000)
    const small = calls.begin(signal)
    small.reads(50)
    const refused = calls.begin(signal)
    expect(() => refused.reads(40)).toThrow(overloaded)
    refused.reads(20)
    expect(() => refused.reads(20)).toThrow(overloaded)
    for (const call of [large, small, refused]) call.end()
    expect(() => calls.begin(signal).reads(1000)).not.toThrow()
  })

  test('takes calls of a client who has few, however many another has', () => {
    const calls = new Calls({ requests: 4 })
    const many = Array.from({ length: 4 }, () => calls.begin(signal, 'a'))
    expect(() => calls.begin(signal, 'a')).toThrow(overloaded)
    const few = [calls.begin(signal, 'b'), calls.begin(signal, 'b')]
    for (const client of ['a', 'b']) expect(() => calls.begin(signal, client)).toThrow(overloaded)
    calls.begin(signal, 'c').end()
    for (const call of [...many, ...few]) call.end()
    expect(calls.running).toBe(0)
  })
})

test('a client without prompts in the queue has its share of it, however many calls another fills it with', () => {
  const calls = new Calls({ tokens: 1000 })
  const many = Array.from({ length: 100 }, () => calls.begin(signal, 'a'))
  for (const call of many) call.reads(10)
  expect(() => calls.begin(signal, 'a').reads(100)).toThrow(overloaded)
  const other = calls.begin(signal, 'b')
  other.reads(400)
  expect(() => other.reads(200)).toThrow(overloaded)
  other.end()
  expect(() => calls.begin(signal, 'b').reads(500)).not.toThrow()
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
