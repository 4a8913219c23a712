import { expect, test } from 'vitest'
import { warningsOf } from '../scripts/warnings.ts'

const good = {
  TARGET_URL: 'https://gpu-1.lab.dev',
  TARGET_MODEL: 'big',
  DRAFT_URL: 'https://gpu-2.lab.dev/v1',
  DRAFT_MODEL: 'small',
}
const openai = (vars: object) => [...warningsOf({ ENGINE: 'openai', ...good, ...vars })]

test.each([
  ['http://127.0.0.1:8600', /^BACKEND_URL is http:\/\/127.0.0.1:8600, which is this machine/],
  ['https://gpu.example.com', /^BACKEND_URL is .*, which is only an example$/],
  ['http://gpu.lab.dev', /^BACKEND_URL is .*: without TLS/],
  ['gpu', /^BACKEND_URL is no address/],
  ['https://gpu.lab.dev, http://localhost:8600', /^BACKEND_URL is http:\/\/localhost:8600, which is this machine/],
  ['', /^BACKEND_URL is left out: no run will reach a backend$/],
])('of a backend at %o', (url, warning) => {
  expect([...warningsOf({ BACKEND_URL: url })]).toEqual([expect.stringMatching(warning)])
})

test('of what is right there is none, nor of the settings of the engine that is not used', () => {
  expect([...warningsOf({ BACKEND_URL: 'https://gpu.lab.dev', TARGET_URL: 'http://localhost' })]).toEqual([])
  expect(openai({ BACKEND_URL: 'http://127.0.0.1:8600' })).toEqual([])
  expect(openai({ JUDGE_URL: 'https://judge.lab.dev', JUDGE_MODEL: 'j' })).toEqual([])
})

test.each([
  [{ TARGET_URL: 'http://localhost:8000' }, [/^TARGET_URL .*this machine/]],
  [{ DRAFT_URL: 'https://d.lab.dev, http://127.0.0.1:1' }, [/^DRAFT_URL is http:\/\/127.*this machine/]],
  [{ JUDGE_URL: 'http://[::1]:8002', JUDGE_MODEL: 'j' }, [/^JUDGE_URL .*this machine/]],
  [{ TARGET_URL: undefined }, [/^TARGET_URL is left out: no run/]],
  [{ DRAFT_URL: '' }, [/^DRAFT_URL is left out: the target writes alone/]],
  [{ TARGET_MODEL: '' }, [/^TARGET_MODEL is left out/]],
  [{ JUDGE_URL: 'https://judge.lab.dev' }, [/^JUDGE_MODEL is left out/]],
  [{ ENGINE: 'opneai' }, [/^ENGINE is opneai: there are native and openai$/]],
])('of other engines: %o', (vars, warnings) => {
  expect(openai(vars)).toEqual(warnings.map((warning) => expect.stringMatching(warning) as string))
})
