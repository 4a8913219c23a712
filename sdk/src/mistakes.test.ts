/** What the caller gets wrong is told at once, by name, and nothing is sent. */
import { describe, expect, it, vi } from 'vitest'
import { Lookahead } from './index.ts'
import type { LookaheadOptions } from './index.ts'

const fetch = vi.fn(() => Promise.reject(new Error('nothing may be sent')))
const baseURL = 'http://127.0.0.1:8787'

function thrown(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

describe('a client is not made with', () => {
  it.each<[string, string, unknown]>([
    ['no address', 'baseURL', undefined],
    ['an empty address', 'baseURL', ''],
    ['an address without scheme', 'baseURL', '127.0.0.1:8787'],
    ['a host that reads like a scheme', 'baseURL', 'localhost:8787'],
    ['a relative address', 'baseURL', '/lookahead'],
    ['an address of another scheme', 'baseURL', 'ws://127.0.0.1:8787'],
    ['credentials in the address', 'baseURL', 'http://user:secret@127.0.0.1'],
    ['a user in the address', 'baseURL', 'http:\\\\secret@127.0.0.1'],
    ['a query in the address', 'baseURL', 'http://127.0.0.1/?key=1'],
    ['a fragment in the address', 'baseURL', 'http://127.0.0.1/#top'],
    ['a key that is not ASCII', 'apiKey', 'schlüssel'],
    ['a key with a line break', 'apiKey', 'secret\n'],
    ['a key with a space', 'apiKey', 'Bearer secret'],
    ['a key that is no text', 'apiKey', 7],
    ['a fetch that is none', 'fetch', 'fetch'],
    ['negative retries', 'maxRetries', -1],
    ['half a retry', 'maxRetries', 0.5],
    ['retries in words', 'maxRetries', '2'],
    ['a negative timeout', 'timeoutMs', -1],
    ['no time at all', 'timeoutMs', 0],
    ['a timeout that is no number', 'timeoutMs', NaN],
    ['a timeout longer than timers go', 'timeoutMs', Infinity],
    ['a negative idle timeout', 'idleTimeoutMs', -1],
    ['an idle timeout longer than timers go', 'idleTimeoutMs', 2 ** 31],
  ])('%s', (_, option, value) => {
    const error = thrown(() => new Lookahead({ baseURL, fetch, [option]: value } as LookaheadOptions))
    expect(error).toMatchObject({ name: 'UsageError', kind: 'usage', code: 'invalid_option', param: option })
    expect(error).toMatchObject({ retryable: false, message: expect.stringContaining(option) })
    expect((error as Error).message).not.toContain('secret')
  })

  it('no options', () => {
    const error = thrown(() => Reflect.construct(Lookahead, []))
    expect(error).toMatchObject({ kind: 'usage', param: 'baseURL' })
  })

  it.each(['http://127.0.0.1:8787', 'https://lookahead.example/gpu/', 'HTTP://LOCALHOST'])('but with %s', (address) => {
    expect(thrown(() => new Lookahead({ baseURL: address, apiKey: '', fetch: undefined, maxRetries: 0 }))).toBe(
      undefined,
    )
  })
})

describe('a run is not begun with', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  it.each<[string, string, unknown, unknown]>([
    ['nothing', 'params', undefined, {}],
    ['a text', 'params', 'What is 6 times 7?', {}],
    ['what JSON cannot say', 'params', circular, {}],
    ['a BigInt', 'params', { prompt: 'x', max_tokens: 5n }, {}],
    ['a controller for a signal', 'signal', { prompt: 'x' }, { signal: new AbortController() }],
  ])('%s', (_, param, params, options) => {
    const { runs } = new Lookahead({ baseURL, fetch })
    const error = thrown(() => Reflect.apply(runs.stream, runs, [params, options]))
    expect(error).toMatchObject({ kind: 'usage', code: 'invalid_option', param, retryable: false })
  })
})

it('a call is not made with a controller for a signal', async () => {
  const client = new Lookahead({ baseURL, fetch })
  const options = { signal: new AbortController() as unknown as AbortSignal }
  await expect(client.health(options)).rejects.toMatchObject({ kind: 'usage', param: 'signal' })
  await expect(client.models.list(options)).rejects.toMatchObject({ kind: 'usage', param: 'signal' })
})

it('a request says what it said when it was made', async () => {
  const messages = [{ role: 'user' as const, content: 'first' }]
  const bodies: unknown[] = []
  const keep: typeof globalThis.fetch = (_, init) => {
    bodies.push(init?.body)
    return Promise.resolve(new Response(null, { status: 400 }))
  }
  const run = new Lookahead({ baseURL, fetch: keep }).runs.stream({ messages })
  messages.push({ role: 'user', content: 'later' })
  await expect(run.final()).rejects.toMatchObject({ status: 400 })
  expect(bodies).toEqual([JSON.stringify({ messages: messages.slice(0, 1) })])
})

it.each(['http://w.test/gpu', 'http://w.test/gpu/', 'http://w.test/gpu//'])(
  'paths are found below %s',
  async (address) => {
    const urls: unknown[] = []
    const keep: typeof globalThis.fetch = (url) => {
      urls.push(url)
      return Promise.resolve(new Response(null, { status: 400 }))
    }
    await expect(new Lookahead({ baseURL: address, fetch: keep }).health()).rejects.toMatchObject({ status: 400 })
    expect(urls).toEqual(['http://w.test/gpu/health'])
  },
)

it('a fetch that throws at once is a server that cannot be reached', async () => {
  const throwing = () => {
    throw new TypeError('no network here')
  }
  const run = new Lookahead({ baseURL, fetch: throwing, maxRetries: 0 }).runs.stream({ prompt: 'x' })
  await expect(run.final()).rejects.toMatchObject({ kind: 'connection' })
})

it('nothing was sent', () => expect(fetch).not.toHaveBeenCalled())
