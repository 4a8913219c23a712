/** What one key's texts leave behind, no other key's calls find: nothing tells what others have asked. */
import { afterEach, expect, test } from 'vitest'
import { forget } from '../../test/calls.ts'
import { createApp } from './app.ts'
import { engine, messages } from '../../test/served.ts'
import type { Completion } from '../../test/served.ts'

const app = createApp({ engine: () => engine, draining: () => false, token: ['one', 'two'] })
const open = createApp({ engine: () => engine, draining: () => false })
afterEach(() => forget(engine))

const post = (url: string, body: object, key = 'one', on = app) =>
  on.request(url, { method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${key}` } })

const secret = 'My number is 4711, and nobody else may ever hear of that. How many are left?'

/** Prompt tokens that stood in slots already. */
async function cachedTokens(body: object, key?: string, on = app): Promise<number> {
  const response = await post('/v1/completions', { prompt: secret, max_tokens: 1, ...body }, key, on)
  return ((await response.json()) as Completion).usage.prompt_tokens_details.cached_tokens
}

test.each(['target', 'draft'])('%s: a key finds its own prompts in the cache, and no other’s', async (model) => {
  expect(await cachedTokens({ model }, 'one')).toBe(0)
  expect(await cachedTokens({ model }, 'two')).toBe(0)
  expect(await cachedTokens({ model }, 'one')).toBeGreaterThan(16)
  expect(await cachedTokens({ model }, 'two')).toBeGreaterThan(16)
})

test('nor do keys that are not asked for, and a call may keep its texts to itself', async () => {
  expect(await cachedTokens({}, 'mine', open)).toBe(0)
  expect(await cachedTokens({}, 'yours', open)).toBe(0)
  expect(await cachedTokens({ cache_salt: 'a' }, 'mine', open)).toBe(0)
  expect(await cachedTokens({ cache_salt: 'b' }, 'mine', open)).toBe(0)
  expect(await cachedTokens({ cache_salt: 'a' }, 'yours', open)).toBe(0)
  expect(await cachedTokens({ cache_salt: 'a' }, 'mine', open)).toBeGreaterThan(16)
})

test('nor those that are being read at the same time', async () => {
  const both = ['one', 'two'].map((key) => cachedTokens({ model: 'target' }, key))
  expect(await Promise.all(both)).toEqual([0, 0])
})

test('nor what a cycle, its guesses and its verifier have read', async () => {
  const context = { id: 'run', messages: [{ role: 'user', content: secret }] }
  await (await post('/v1/draft', { context, depth: 2 }, 'one')).text()
  const asks = { max_tokens: 60, verifier: 'score', steps: [{ text: 'Ann has 9 apples.\n\n' }] }
  const verified = await post('/v1/verify', { context, ...asks }, 'one')
  expect(await verified.text()).toContain('commit')
  const before = engine.stats
  for (const model of ['target', 'draft'])
    expect(await chatTokens({ model, messages: context.messages }, 'two')).toBe(0)
  expect(before.target!.prefixHits).toBe(engine.stats.target!.prefixHits)
  for (const model of ['target', 'draft'])
    expect(await chatTokens({ model, messages: context.messages }, 'one')).toBeGreaterThan(16)
  const salted = { id: 'salted', messages, cache_salt: 'a' }
  await (await post('/v1/verify', { context: salted, max_tokens: 1 })).text()
  expect(await chatTokens({ messages })).toBe(0)
})

async function chatTokens(body: object, key?: string): Promise<number> {
  const response = await post('/v1/chat/completions', { max_tokens: 1, ...body }, key)
  return ((await response.json()) as Completion).usage.prompt_tokens_details.cached_tokens
}

test('a context is its key’s alone', async () => {
  const verify = async (context: object, key: string) => {
    const response = await post('/v1/verify', { context, max_tokens: 5, step_rules: { max_tokens: 2 } }, key)
    await response.text()
    return response.status
  }
  expect(await verify({ id: 'run', messages }, 'one')).toBe(200)
  expect(await verify({ id: 'run', length: 2 }, 'two')).toBe(409)
  expect(await verify({ id: 'run', messages }, 'two')).toBe(200)
  await app.request('/v1/contexts/run', { method: 'DELETE', headers: { authorization: 'Bearer two' } })
  expect(await verify({ id: 'run', length: 2 }, 'one')).toBe(200)
  expect(await verify({ id: 'run', length: 2 }, 'two')).toBe(409)
})

test('any of the tokens is let in, and no other', async () => {
  const statuses = ['one', 'two', 'three', 'one,two'].map(
    async (key) => (await post('/tokenize', { prompt: 'a' }, key)).status,
  )
  expect(await Promise.all(statuses)).toEqual([200, 200, 401, 401])
})
