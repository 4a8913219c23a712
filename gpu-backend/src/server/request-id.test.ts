import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 1024 })
})
afterAll(() => engine.close())

const app = createApp({ engine: () => engine, draining: () => false })
const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]

test('every answer has the id of its request, or one of its own', async () => {
  const guarded = createApp({ engine: () => engine, draining: () => false, token: 'secret' })
  const large = 'x'.repeat(5 * 1024 * 1024)
  const asked: [number, string, RequestInit?, typeof app?][] = [
    [200, '/health'],
    [200, '/v1/models'],
    [200, '/metrics'],
    [200, '/v1/draft', { method: 'POST', body: JSON.stringify({ context: { id: 'a', messages }, depth: 1 }) }],
    [204, '/v1/contexts/a', { method: 'DELETE' }],
    [200, '/v1/completions', { method: 'POST', body: JSON.stringify({ prompt: 'Ann', max_tokens: 1 }) }],
    [200, '/v1/completions', { method: 'POST', body: JSON.stringify({ prompt: 'Ann', max_tokens: 1, stream: true }) }],
    [400, '/v1/completions', { method: 'POST', body: '{' }],
    [401, '/v1/models', {}, guarded],
    [404, '/v1/nothing'],
    [413, '/tokenize', { method: 'POST', body: large }],
  ]
  for (const [status, url, init, on = app] of asked) {
    const told = await on.request(url, { ...init, headers: { 'x-request-id': 'run-7_a' } })
    const own = await on.request(url, init)
    expect([url, told.status, own.status]).toEqual([url, status, status])
    expect([url, told.headers.get('x-request-id')]).toEqual([url, 'run-7_a'])
    expect([url, own.headers.get('x-request-id')]).toEqual([url, expect.stringMatching(/^[\w-]{36}$/)])
    await Promise.all([told.text(), own.text()])
  }
})
