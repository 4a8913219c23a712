/** What the worker says of a target that is any OpenAI-compatible server, outside of runs. */
import { afterAll, describe, expect, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import type { Bindings } from '../src/settings.ts'
import { background } from './background.ts'
import { fakeBackend } from './fake-backend.ts'
import type { Manner } from './fake-backend.ts'

const log = vi.spyOn(console, 'error').mockReturnValue()
afterAll(() => log.mockRestore())

const list = { object: 'list', data: [{ id: 'big', object: 'model', max_model_len: 2048, owned_by: 'x' }, { id: 'b' }] }

async function ask(path: string, { url, ...env }: { url: string } & Bindings) {
  const settings = { ENGINE: 'openai', TARGET_URL: url, TARGET_MODEL: 'big', ...env }
  const response = await app.request(path, {}, settings, background().context)
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() }
}

async function asked(path: string, manner: Manner, env: Bindings = {}) {
  await using fake = await fakeBackend([], manner)
  return await ask(path, { url: fake.url, ...env })
}

describe('a target that is there', () => {
  const manner = { token: 'k', models: { status: 200, body: JSON.stringify(list) } }
  const env = { TARGET_API_KEY: 'k', MODEL_NAME: 'mine' }

  test('is listed by each of its names', async () => {
    const { status, body } = await asked('/v1/models', manner, env)
    expect([status, body]).toMatchObject([200, { data: ['mine', 'target'].map((id) => ({ id, max_model_len: 2048 })) }])
    expect(await asked('/v1/models/mine', manner, env)).toMatchObject({ status: 200, body: { role: 'target' } })
    expect(await asked('/health', manner, env)).toMatchObject({ status: 200, body: { backend: 'ok' } })
  })

  test('is listed where it has no model by that name, of which nothing is known then', async () => {
    const { status, body } = await asked('/v1/models', manner, { ...env, TARGET_MODEL: 'other' })
    expect([status, body]).toMatchObject([200, { data: [{ max_model_len: 0 }, { max_model_len: 0 }] }])
  })
})

test.each<[string, Manner, number, string, string]>([
  ['refuses the worker', { token: 'k' }, 502, 'backend_unauthorized', 'unauthorized'],
  ['fails', { models: { status: 500, body: '' } }, 502, 'backend_failed', 'unreachable'],
  ['has no such list', { models: { status: 404, body: '{}' } }, 502, 'backend_failed', 'unreachable'],
  ['is something else', { models: { status: 200, body: '<h1>Welcome</h1>' } }, 502, 'backend_failed', 'unreachable'],
])('one that %s is not listed', async (_, manner, status, code, backend) => {
  expect(await asked('/v1/models', manner)).toMatchObject({ status, body: { error: { code } } })
  expect(await asked('/v1/models/target', manner)).toMatchObject({ status, body: { error: { code } } })
  expect((await asked('/health', manner)).body).toMatchObject({ backend })
})

test('one that is away is not listed, and can be asked for again', async () => {
  const away = await ask('/v1/models', { url: 'http://127.0.0.1:9' })
  expect(away).toMatchObject({ status: 503, retryAfter: '2', body: { error: { code: 'backend_unreachable' } } })
  expect((await ask('/health', { url: 'http://127.0.0.1:9' })).body).toEqual({
    status: 'degraded',
    backend: 'unreachable',
  })
})
