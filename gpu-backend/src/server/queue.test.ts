import path from 'node:path'
import { ProtocolError } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 4096 })
})
afterAll(() => engine.close())
afterEach(() => {
  for (const { runner } of engine.runners) runner.kv.assertIdle()
})

const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]

test('what is more than the queue holds gets 429 with Retry-After before any work', async () => {
  const app = createApp({ engine: () => engine, draining: () => false, calls: new Calls({ requests: 2 }) })
  const post = async (url: string, body: object) => app.request(url, { method: 'POST', body: JSON.stringify(body) })
  const forward = vi.spyOn(engine.target.model, 'forward')
  try {
    const verify = (id: string) => post('/v1/verify', { context: { id, messages }, max_tokens: 3 })
    const answers = await Promise.all(['a', 'b', 'c'].map((id) => verify(id)))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429])
    expect(answers[2]!.headers.get('retry-after')).toMatch(/^[1-4]$/)
    expect(await answers[2]!.json()).toMatchObject({ error: { code: 'overloaded' } })
    expect((await post('/v1/completions', { model: 'target', prompt: 'Ann', max_tokens: 1 })).status).toBe(429)
    // What was refused leaves no context.
    expect(engine.contexts.size).toBe(2)
    expect(forward).not.toHaveBeenCalled()
    await Promise.all(answers.slice(0, 2).map((answer) => answer.text()))
    expect(await (await verify('c')).text()).toContain('commit')
  } finally {
    forward.mockRestore()
  }
})

test('draft calls that go on beside others leave the queue to those that verify', async () => {
  const app = createApp({ engine: () => engine, draining: () => false, calls: new Calls({ requests: 2 }) })
  const post = async (url: string, body: object) => app.request(url, { method: 'POST', body: JSON.stringify(body) })
  const ids = ['a', 'b', 'c', 'd']
  const follow = { follow: true, sampling: { temperature: 0 } }
  const drafting: Response[] = []
  for (const id of ids) drafting.push(await post('/v1/draft', { context: { id, messages }, depth: 1, ...follow }))
  expect(drafting.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  const told = drafting.map((answer) => answer.text())
  for (const id of ids) {
    const verifying = await post('/v1/verify', { context: { id, messages }, depth: 2, max_tokens: 5, ...follow })
    expect(verifying.status).toBe(200)
    expect(await verifying.text()).toContain('commit')
  }
  for (const text of await Promise.all(told)) expect(text).toContain('done')
})

test('a call counts as queued as long as some of its texts wait for slots', async () => {
  const tight = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 300 })
  try {
    const app = createApp({ engine: () => tight, draining: () => false, calls: new Calls({ requests: 1 }) })
    const write = (n: number) => {
      const body = { prompt: 'Ann', n, max_tokens: 200, ignore_eos: true, stream: true, speculation: { draft: 0 } }
      return app.request('/v1/completions', { method: 'POST', body: JSON.stringify(body) })
    }
    const many = await write(8)
    expect([many.status, (await write(1)).status]).toEqual([200, 429])
    await many.body!.cancel()
    await expect.poll(() => tight.target.stats.running + tight.target.stats.waiting).toBe(0)
    const one = await write(1)
    const other = await write(1)
    expect([one.status, other.status]).toEqual([200, 200])
    await Promise.all([one.text(), other.text()])
    for (const { runner } of tight.runners) runner.kv.assertIdle()
  } finally {
    tight.close()
  }
})

test('a call is queued before its prompt is tokenized, and a client that leaves then is gone', async () => {
  const calls = new Calls({ requests: 1 })
  const app = createApp({ engine: () => engine, draining: () => false, calls })
  const abort = new AbortController()
  const write = (signal?: AbortSignal) => {
    const body = JSON.stringify({ prompt: 'Ann has apples. '.repeat(1200), max_tokens: 1 })
    return app.request('/v1/completions', { method: 'POST', body, ...(signal && { signal }) })
  }
  const answers = [write(abort.signal), write()]
  expect((await answers[1]!).status).toBe(429)
  abort.abort()
  expect((await answers[0]!).status).toBe(499)
  expect(calls.running).toBe(0)
  expect((await write()).status).toBe(400)
})

test('the output of a context that is restored counts like its prompt, and one that is refused is not kept', async () => {
  const app = createApp({ engine: () => engine, draining: () => false, calls: new Calls({ tokens: 500 }) })
  const verify = (context: object) =>
    app.request('/v1/verify', { method: 'POST', body: JSON.stringify({ context, max_tokens: 1 }) })
  const output = Array.from({ length: 1500 }, () => 5)
  const answers = await Promise.all([
    verify({ id: 'short', messages, output: [] }),
    verify({ id: 'long', messages, output }),
  ])
  expect(answers.map((answer) => answer.status)).toEqual([200, 429])
  await answers[0]!.text()
  expect((await verify({ id: 'long', length: output.length })).status).toBe(409)
})

test('what is only to be tokenized counts like any prompt', async () => {
  const calls = new Calls({ tokens: 100 })
  const app = createApp({ engine: () => engine, draining: () => false, calls })
  const tokenize = async () =>
    (await app.request('/tokenize', { method: 'POST', body: JSON.stringify({ prompt: 'Ann has 12. '.repeat(20) }) }))
      .status
  expect(await tokenize()).toBe(200)
  const queued = calls.begin({ connection: new AbortController().signal })
  queued.reads(99)
  expect(await tokenize()).toBe(429)
  queued.end()
  expect(await tokenize()).toBe(200)
  expect(calls.running).toBe(0)
})

test('calls count until their texts have begun, prompts by their tokens, and one alone is always let in', () => {
  const calls = new Calls({ requests: 10, tokens: 100 })
  const { signal } = new AbortController()
  const begin = (tokens: number) => {
    const call = calls.begin({ connection: signal })
    try {
      call.reads(tokens)
      return call
    } catch (error) {
      call.end()
      throw error
    }
  }
  const large = begin(1000)
  const overloaded = expect.objectContaining<Partial<ProtocolError>>({ status: 429, retryAfter: expect.any(Number) })
  expect(() => begin(51)).toThrow(overloaded)
  large.started()
  large.end()
  const half = begin(60)
  expect(() => begin(60)).toThrow(overloaded)
  begin(40).end()
  half.end()
  expect(calls.running).toBe(0)
})
