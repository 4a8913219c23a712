import path from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
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

test('what the backend fails is one line of its log, with the id and the path of the request and no word of its text', async () => {
  const log = vi.spyOn(console, 'error').mockReturnValue()
  const spies = [log, vi.spyOn(engine.target.model, 'forward').mockRejectedValue(new Error('the device is lost'))]
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()))
  const whole = { prompt: 'Ann', max_tokens: 1 }
  for (const [route, status, body] of [
    ['/v1/completions', 500, whole],
    ['/v1/completions', 500, { ...whole, stream: true }],
    ['/v1/verify', 200, { context: { id: 'a', messages }, max_tokens: 9 }],
  ] as const) {
    const headers = { 'x-request-id': 'run-7_a' }
    const answer = await app.request(route, { method: 'POST', body: JSON.stringify(body), headers })
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining('internal_error')])
    expect(log).toHaveBeenCalledTimes(1)
    const line = log.mock.lastCall![0] as string
    expect(JSON.parse(line)).toEqual({
      event: 'request.failed',
      request_id: 'run-7_a',
      path: route,
      status: 500,
      code: 'internal_error',
      message: expect.any(String),
      stack: expect.stringContaining('the device is lost'),
    })
    expect(line).not.toContain('Ann')
    log.mockClear()
  }
})
