/** The limits of `wrangler.toml`'s production, in real workerd: its Durable Object counts, its rate limit refuses. */
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { unstable_startWorker } from 'wrangler'
import { context, fakeBackend } from './fake-backend.ts'
import type { Reply } from './fake-backend.ts'
import { end } from './play.ts'

Object.assign(process.env, {
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
})

const hash = (key: string) => createHash('sha256').update(key).digest('hex')
const text = (value: string) => ({ type: 'plain_text' as const, value })

async function production(script: Reply[]) {
  const fake = await fakeBackend(script)
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL('../../wrangler.toml', import.meta.url)),
    env: 'production',
    bindings: {
      BACKEND_URL: text(fake.url),
      MAX_RUNS: text('2'),
      // As of `wrangler.toml`, but lower: a minute may end meanwhile.
      RATE_LIMIT: { type: 'ratelimit', namespace_id: '1001', simple: { limit: 60, period: 60 } },
      API_KEYS: text(`one:${hash('one')}:runs=1 other:${hash('other')}`),
    },
    dev: { logLevel: 'none', watch: false, inspector: false, persist: false, server: { port: 0 } },
  })
  onTestFinished(async () => {
    await worker.dispose()
    await fake[Symbol.asyncDispose]()
  })
  const url = await worker.url
  const post = (key: string, init: RequestInit = {}, path = '/v1/runs') =>
    fetch(new URL(path, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ prompt: 'x', lookahead: { mode: 'ar' } }),
      ...init,
    })
  return { fake, post }
}

const read = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string } }
  return [response.status, error.code, response.headers.has('retry-after')]
}

test('runs at a time are counted, and one whose client has left no longer counts', async () => {
  const open: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'hang' }
  const { fake, post } = await production([open, open, end])
  const abort = new AbortController()
  const first = await post('one', { signal: abort.signal })
  expect(first.status).toBe(200)
  expect(await read(await post('one'))).toEqual([429, 'too_many_runs', true])
  const second = await post('other')
  expect(second.status).toBe(200)
  expect(await read(await post('other'))).toEqual([429, 'too_many_runs', true])
  expect(fake.calls).toHaveLength(2)

  abort.abort()
  await first.text().catch(() => undefined)
  await expect.poll(async () => (await post('one')).text(), { interval: 300 }).toContain('run.completed')
  await second.body!.cancel()
})

test('stored runs count too, until they are over or cancelled', async () => {
  const open: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'hang' }
  const { post } = await production([open, end])
  const body = JSON.stringify({ prompt: 'x', store: true, lookahead: { mode: 'ar' } })
  const first = await post('one', { body })
  const id = first.headers.get('x-request-id')!
  expect(await read(await post('one', { body }))).toEqual([429, 'too_many_runs', true])
  expect(await (await post('one', { body: '{}' }, `/v1/runs/${id}/cancel`)).json()).toMatchObject({
    status: 'cancelled',
  })
  await first.body?.cancel()
  await expect.poll(async () => (await post('one', { body })).text(), { interval: 300 }).toContain('run.completed')
})

test('a key that asks too often is refused, and only that key', async () => {
  const { post } = await production([])
  const empty = { body: '{}' }
  let refused: Response | undefined
  for (let i = 0; i < 200 && !refused; i++) {
    const answer = await post('one', empty)
    if (answer.status === 429) refused = answer
    else await answer.body?.cancel()
  }
  expect(await read(refused!)).toEqual([429, 'rate_limit_exceeded', true])
  expect((await post('other', empty)).status).toBe(400)
})
