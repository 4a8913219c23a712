import { expect, test } from 'vitest'
import { enginesOf } from './engine-settings.ts'

const whole = { TARGET_URL: 'http://gpu:8000', TARGET_MODEL: 'big' }

test('only the target has to be there; an empty setting is none', () => {
  expect(enginesOf({ ...whole, DRAFT_URL: '', TARGET_API_KEY: '' })).toEqual({
    target: { url: ['http://gpu:8000'], model: 'big', apiKey: undefined },
    draft: undefined,
    judge: undefined,
    timeoutMs: undefined,
  })
  const all = {
    ...whole,
    DRAFT_URL: 'https://d/v1, https://e/',
    DRAFT_MODEL: 'small',
    DRAFT_API_KEY: 'k',
    BACKEND_TIMEOUT_SECONDS: '5',
  }
  expect(enginesOf(all)).toMatchObject({
    draft: { url: ['https://d/v1', 'https://e'], model: 'small', apiKey: 'k' },
    timeoutMs: 5000,
  })
})

test.each([
  ['TARGET_URL', { TARGET_URL: undefined }],
  ['TARGET_URL', { TARGET_URL: 'gpu:8000' }],
  ['TARGET_URL', { TARGET_URL: 'http://name:word@gpu' }],
  ['TARGET_URL', { TARGET_URL: 'http://gpu:8000,gpu:8001' }],
  ['TARGET_MODEL', { TARGET_MODEL: '' }],
  ['TARGET_API_KEY', { TARGET_API_KEY: 'two words' }],
  ['DRAFT_MODEL', { DRAFT_URL: 'http://d' }],
  ['JUDGE_URL', { JUDGE_URL: 'ftp://j', JUDGE_MODEL: 'j' }],
  ['JUDGE_PROTOCOL', { JUDGE_URL: 'http://j', JUDGE_MODEL: 'j', JUDGE_PROTOCOL: 'guess' }],
  ['JUDGE_URL', { JUDGE_MODEL: '@cf/cloudflare/clef', JUDGE_PROTOCOL: 'systemone' }],
  ['JUDGE_PROTOCOL', { JUDGE_MODEL: '@cf/cloudflare/clef', AI: { run: () => Promise.resolve({}) } }],
  ['BACKEND_TIMEOUT_SECONDS', { BACKEND_TIMEOUT_SECONDS: 'soon' }],
])('the operator is told to set %s: %o', (setting, wrong) => {
  expect(() => enginesOf({ ...whole, ...wrong } as typeof whole)).toThrow(
    expect.objectContaining({
      status: 500,
      code: 'not_configured',
      message: expect.stringContaining(`set ${setting} `),
    }),
  )
})
