import type { Pair, Verifier } from '@lookahead/worker/verifiers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keptOf, ruleOf, rulingsOf } from './ask.ts'

const step = { text: 'So.\n\n', tokens: [1], end: 'delimiter' as const }
const pair: Pair = { draft: { ...step, unlikely: false }, target: step }
const failed = { accepted: false, reason: 'judge_failed' }
const limits = { ms: 60_000, signal: new AbortController().signal }
const soon = { ...limits, ms: 20 }
const asking = (ask: NonNullable<Verifier['ask']>): Verifier => ({ name: 'mine', rule: () => undefined, ask })

let told: unknown[]
beforeEach(() => {
  told = []
  vi.spyOn(console, 'error').mockImplementation((line: string) => void told.push(JSON.parse(line)))
})
afterEach(() => vi.restoreAllMocks())

test('a verifier that fails rejects, and is named in the log', async () => {
  const gone = new Error('gone')
  const failing = asking(() => Promise.reject(gone))
  expect(await rulingsOf(failing, [pair, pair], limits)).toEqual([failed, failed])
  const throwing: Verifier = {
    name: 'mine',
    rule: () => {
      throw gone
    },
  }
  expect(ruleOf(throwing, pair)).toEqual(failed)
  expect(
    keptOf({ ...throwing, kept: throwing.rule as () => never }, [1], () => ({ tokens: [], probabilities: [] })),
  ).toBe(0)
  expect(told).toEqual(
    [1, 2, 3].map(() => ({ event: 'verifier.failed', verifier: 'mine', stack: expect.stringContaining('gone') })),
  )
})

test('one that takes too long rejects, whether or not it heeds the signal', async () => {
  let heard: unknown
  const heeding = asking(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          heard = signal.reason
          reject(signal.reason as Error)
        })
      }),
  )
  expect(await rulingsOf(heeding, [pair], soon)).toEqual([failed])
  expect(heard).toMatchObject({ name: 'TimeoutError' })
  const deaf = asking(() => new Promise(() => undefined))
  expect(await rulingsOf(deaf, [pair], soon)).toEqual([failed])
  expect(told[1]).toMatchObject({ verifier: 'mine', stack: expect.stringContaining('no answer in 20 ms') })
})

test('what it leaves open is rejected, and without anyone to ask all is', async () => {
  const half = asking(async () => [undefined, { accepted: true, reason: 'mine' }])
  expect(await rulingsOf(half, [pair, pair, pair], limits)).toEqual([
    { accepted: false, reason: 'judge' },
    { accepted: true, reason: 'mine' },
    { accepted: false, reason: 'judge' },
  ])
  expect(await rulingsOf({ name: 'mine', rule: () => undefined }, [pair], limits)).toEqual([
    { accepted: false, reason: 'judge' },
  ])
})

test('who leaves is not told of a failure, but with what he said', async () => {
  const leaving = new AbortController()
  const asked = rulingsOf(
    asking((_, signal) => {
      leaving.abort(new Error('enough'))
      return Promise.reject(signal.reason as Error)
    }),
    [pair],
    { ...limits, signal: leaving.signal },
  )
  await expect(asked).rejects.toThrow('enough')
  expect(told).toEqual([])
})
