/** The OpenAPI document: right by its specification, and true of the worker. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { app } from '../src/app.ts'
import { fakeBackend } from './fake-backend.ts'

type Document = {
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, { operationId: string }>>
  components: { schemas: Record<string, object> }
}
const document = (await (await app.request('/openapi.json', {}, {})).json()) as Document

const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
)

test('is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document))
  expect(result).toMatchObject({ valid: true })
  expect(document.openapi).toMatch(/^3\.1\./)
})

test('has every route of the API, and no other', () => {
  const isApi = (path: string) => path.startsWith('/v1/') || path === '/health' || path === '/openapi.json'
  const real = app.routes
    .filter(({ method, path }) => method !== 'ALL' && isApi(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
  expect(documented.toSorted()).toEqual([...new Set(real)].toSorted())
})

test.each(documented)('is answered as it says: %s', async (route) => {
  await using fake = await fakeBackend([])
  const [method, path] = route.split(' ') as [string, string]
  const init = method === 'POST' ? { method, body: '{}' } : { method }
  const response = await app.request(path.replace(/\{\w+\}/, 'target'), init, { BACKEND_URL: fake.url })
  const { responses } = document.paths[path]![method.toLowerCase()] as unknown as { responses: object }
  expect(Object.keys(responses)).toContain(String(response.status))
})

test('has the version of the package', () => {
  expect(document.info.version).toBe(packageJson.version)
})

test('names every operation once', () => {
  const names = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  expect(new Set(names).size).toBe(names.length)
})

test.each([
  ['RunRequest', { prompt: 'x', lookahead: { mode: 'auto', verifier: 'exact', steps: { sentences: true } } }, true],
  ['RunRequest', { messages: [{ role: 'user', content: 'x' }], sampling: { seed: 7 } }, true],
  ['RunRequest', { prompt: 'x', lookahead: { mode: 'warp' } }, false],
  ['RunRequest', { prompt: 'x', max_tokens: 0 }, false],
  ['RunRequest', { prompt: 'x', sampling: { seed: 0.5 } }, false],
  ['RunRequest', { messages: [] }, false],
  ['RunRequest', { prompt: 'x', maxtokens: 5 }, false],
  ['ChatRequest', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], stop: null }, true],
  ['ChatRequest', { messages: [{ role: 'bystander', content: 'x' }] }, false],
  ['CompletionRequest', { prompt: ['x'], stop: ['a'], stream: true }, true],
  ['ResponseRequest', { input: 'x' }, true],
  ['ResponseRequest', { input: [{ role: 'user', content: 'x' }] }, true],
  ['ResponseRequest', { input: 5 }, false],
  ['RunEvent', { type: 'step.accepted', step: 0, text: 'a', reason: 'a word of a newer version' }, true],
  ['RunEvent', { type: 'step.accepted', step: -1, text: 'a', reason: 'judge' }, false],
  ['Error', { error: { message: 'm', type: 't', param: null, code: 'c' } }, true],
])('its schema of a %s says of %j what the worker would: %s', (name, value, isRight) => {
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema(document, 'doc')
  expect(ajv.validate(`doc#/components/schemas/${name}`, value)).toBe(isRight)
})
