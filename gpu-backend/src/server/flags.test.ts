import { afterEach, expect, test, vi } from 'vitest'
import { command } from '../flags.ts'
import { serveOptions, withServeFlags } from './flags.ts'

afterEach(() => void vi.unstubAllEnvs())

/** What `lookahead serve` takes its flags and variables for. */
function read(args: string[], env: Record<string, string> = {}) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const serve = withServeFlags(command('serve', ''))
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  return serveOptions(serve.parse(args, { from: 'user' }).opts())
}

test('flags overrule the environment, and nonsense is refused by name', () => {
  const env = { LOOKAHEAD_PORT: '7000', LOOKAHEAD_TOKEN: 'secret', LOOKAHEAD_WEIGHTS: 'int4' }
  expect(read([], env)).toMatchObject({ port: 7000, token: ['secret'], host: '127.0.0.1', weights: 'int4' })
  expect(read(['--port', '0', '--weights', 'int8'], env)).toMatchObject({ port: 0, weights: 'int8' })
  for (const args of [
    ['--port', 'x'],
    ['--port', '70000'],
    ['--memory', '0'],
    ['--prot', '1'],
    ['--weights', 'fp8'],
  ])
    expect(() => read(args)).toThrow(args[0])
  expect(() => read([], { LOOKAHEAD_MEMORY: 'much' })).toThrow('LOOKAHEAD_MEMORY')
})

test('an empty flag is an error, an empty variable none at all', () => {
  for (const flag of ['--port=', '--token=', '--host=', '--models='])
    expect(() => read([flag])).toThrow(flag.slice(0, -1))
  expect(read([], { LOOKAHEAD_PORT: '', LOOKAHEAD_TOKEN: '' })).toEqual(read([]))
})

test('the pools are sized by memory unless slots are given; limits have defaults', () => {
  const defaults = { memory: 1024, batchTokens: 512, queue: { requests: 256, tokens: 131_072 }, drainMs: 10_000 }
  expect(read([])).toMatchObject({ ...defaults, device: 'auto' })
  expect([read([]).slots, read([]).weights, read([]).token]).toEqual([undefined, undefined, undefined])
  const env = { LOOKAHEAD_MEMORY: '64', LOOKAHEAD_MAX_QUEUED_REQUESTS: '3' }
  expect(read(['--slots', '300', '--max-queued-tokens', '9'], env)).toMatchObject({
    memory: 64,
    slots: 300,
    queue: { requests: 3, tokens: 9 },
  })
})

test('origins are those that browsers name', () => {
  expect(read([]).cors).toBeUndefined()
  expect(read(['--cors', '*']).cors).toEqual(['*'])
  expect(read([], { LOOKAHEAD_CORS: 'https://a.example,http://localhost:5173' }).cors).toEqual([
    'https://a.example',
    'http://localhost:5173',
  ])
  for (const wrong of ['', 'a.example', 'https://a.example/', 'https://a.example,', 'ftp://a'])
    expect(() => read([`--cors=${wrong}`])).toThrow()
})

test('a token that no caller could show is refused, and not shown', () => {
  expect(read(['--token', 'aZ09-._~+/=='])).toMatchObject({ token: ['aZ09-._~+/=='] })
  expect(read(['--token', 'one,two'])).toMatchObject({ token: ['one', 'two'] })
  for (const token of ['two words', 'one,', 'schlüssel', 'a=b'])
    expect(() => read(['--token', token])).toThrow(/^--token may have letters, digits and -\._~\+\/ only$/)
})

test('the draft is the folder of that name, whichever is given by flag or variable', () => {
  expect(read([]).draft).toBeUndefined()
  expect(read([], { LOOKAHEAD_DRAFT: 'draft-far' })).toMatchObject({ draft: 'draft-far' })
  for (const name of ['', '..', 'a/b', '/tmp'])
    expect(() => read(['--draft', name])).toThrow(/--draft.*folder in --models/)
})

test('the judge is taken where there is one, unless it is declined; what it may not accept has a default', () => {
  expect(read([])).toMatchObject({ judge: true, leastLogprob: -4 })
  const env = { LOOKAHEAD_JUDGE: 'none', LOOKAHEAD_LEAST_LOGPROB: 'off' }
  expect(read([], env)).toMatchObject({ judge: false, leastLogprob: -Infinity })
  expect(read(['--judge', 'auto', '--least-logprob=-7.5'], env)).toMatchObject({ judge: true, leastLogprob: -7.5 })
  expect(() => read(['--judge', 'mine'])).toThrow(/--judge.*auto, none/)
  expect(() => read(['--least-logprob', '3'])).toThrow(/--least-logprob.*number/)
})

test('rules can be left out, and verifiers be given more time', () => {
  expect(read([])).toMatchObject({ rules: ['numbers', 'names'], verifierTimeoutMs: 30_000 })
  expect(read(['--rules', 'names', '--verifier-timeout', '2'])).toMatchObject({
    rules: ['names'],
    verifierTimeoutMs: 2000,
  })
  expect(read([], { LOOKAHEAD_RULES: 'none' })).toMatchObject({ rules: [] })
  expect(() => read(['--rules', 'colours'])).toThrow(/--rules.*numbers, names/)
})

test('the encoder of the verifier embedding has a folder of its own, and a threshold between -1 and 1', () => {
  expect(read([])).toMatchObject({ embeddingThreshold: 0.85 })
  expect(read([]).embedding).toBeUndefined()
  const env = { LOOKAHEAD_EMBEDDING: 'mpnet', LOOKAHEAD_EMBEDDING_THRESHOLD: '0.95' }
  expect(read([], env)).toMatchObject({ embedding: 'mpnet', embeddingThreshold: 0.95 })
  const flags = ['--embedding', 'minilm', '--embedding-threshold=-0.5']
  expect(read(flags, env)).toMatchObject({ embedding: 'minilm', embeddingThreshold: -0.5 })
  for (const wrong of [['--embedding='], ['--embedding-threshold', '1.5'], ['--embedding-threshold', 'high']])
    expect(() => read(wrong)).toThrow(wrong[0]!.replace('=', ''))
})
