/** What to mend, by what a worker says of itself. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { examine } from './examine.ts'

/** A worker that says so of its health. @returns what is found about its backend, and about several of them */
async function found(details: object) {
  const server = createServer((request, response) => {
    const answer = request.url === '/health?details' ? { status: 'degraded', version: '0', ...details } : { data: [] }
    response.end(JSON.stringify(answer))
  })
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const findings = []
  for await (const finding of examine(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined))
    findings.push(finding)
  return findings.find(({ check, state }) => /^(backend|draft|judge)/.test(check) && state !== 'ok')
}

test.each([
  [undefined, 'unauthorized', /BACKEND_TOKEN/],
  ['native', 'unauthorized', /BACKEND_TOKEN/],
  ['openai', 'unauthorized', /TARGET_API_KEY/],
  ['native', 'unreachable', /BACKEND_URL/],
  ['openai', 'unreachable', /TARGET_URL/],
  ['openai', 'not_configured', /wrangler tail/],
  ['of later', 'unreachable', /its log/],
])('the settings of the engine in use are named: %s, %s', async (engine, backend, setting) => {
  const { mend = '' } = (await found({ engine, backend })) ?? {}
  expect(mend).toMatch(setting)
  expect([...mend.matchAll(/BACKEND|TARGET/g)].every(([name]) => setting.source.startsWith(name))).toBe(true)
})

test.each(['draft', 'judge'])('a %s that is away is told of, and its setting', async (role) => {
  const finding = await found({ engine: 'openai', backend: 'ok', [role]: 'unreachable' })
  expect(finding).toMatchObject({ check: role, state: 'warning' })
  expect(finding!.mend).toContain(`${role.toUpperCase()}_URL`)
})

test('and of one of several targets too', async () => {
  const finding = await found({ engine: 'openai', backend: 'ok', backends: ['ok', 'unauthorized'] })
  expect(finding).toMatchObject({ state: 'warning', mend: expect.stringContaining('TARGET_API_KEY') as string })
})
