import { expect, test } from 'vitest'
import { readFlags } from './flags.ts'

test('--weights is left to the device unless a flag or a variable says otherwise, and the flag wins', () => {
  expect(readFlags([], {})).toMatchObject({ weights: undefined })
  expect(readFlags([], { LOOKAHEAD_WEIGHTS: 'int4' })).toMatchObject({ weights: 'int4' })
  expect(readFlags(['--weights', 'int8'], { LOOKAHEAD_WEIGHTS: 'int4' })).toMatchObject({ weights: 'int8' })
  expect(() => readFlags(['--weights', 'fp8'], {})).toThrow(
    '--weights must be one of fp32, fp16, bf16, int8, int4, not "fp8"',
  )
})

test('an empty flag is an error, an empty variable none at all', () => {
  expect(() => readFlags(['--port='], {})).toThrow('--port lacks its value')
  expect(readFlags([], { LOOKAHEAD_PORT: '', LOOKAHEAD_TOKEN: '' })).toMatchObject({ port: 8600, token: undefined })
})

test('the pools are sized by memory unless slots are given; limits have defaults', () => {
  expect(readFlags([], {})).toMatchObject({ memory: 1024, slots: undefined, batchTokens: 512 })
  const env = { LOOKAHEAD_MEMORY: '64', LOOKAHEAD_MAX_QUEUED_REQUESTS: '3' }
  expect(readFlags(['--slots', '300', '--max-queued-tokens', '9'], env)).toMatchObject({
    memory: 64,
    slots: 300,
    queue: { requests: 3, tokens: 9 },
  })
  expect(() => readFlags(['--memory', '0'], {})).toThrow('--memory must be a whole number')
})

test('a token that no caller could show is refused, and not shown', () => {
  expect(readFlags(['--token', 'aZ09-._~+/=='], {})).toMatchObject({ token: 'aZ09-._~+/==' })
  for (const token of ['two words', 'schlüssel', 'a=b'])
    expect(() => readFlags(['--token', token], {})).toThrow(/^--token may have letters, digits and -\._~\+\/ only$/)
})

test('the judge is taken where there is one, unless it is declined; what it may not accept has a default', () => {
  expect(readFlags([], {})).toMatchObject({ judge: true, leastLogprob: -4 })
  expect(readFlags([], { LOOKAHEAD_JUDGE: 'none', LOOKAHEAD_LEAST_LOGPROB: 'off' })).toMatchObject({
    judge: false,
    leastLogprob: -Infinity,
  })
  expect(readFlags(['--judge', 'auto', '--least-logprob=-7.5'], { LOOKAHEAD_JUDGE: 'none' })).toMatchObject({
    judge: true,
    leastLogprob: -7.5,
  })
  expect(() => readFlags(['--judge', 'mine'], {})).toThrow('--judge must be auto or none, not "mine"')
  expect(() => readFlags(['--least-logprob', '3'], {})).toThrow('--least-logprob must be a number of at most 0, or off')
})
