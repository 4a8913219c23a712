/** Who writes what comes after the drafted steps. */
import { channelsAfter } from '@lookahead/sdk/protocol'
import { afterAll, expect, test } from 'vitest'
import { Context } from '../contexts.ts'
import { loadEngine, parseVerify } from '../../../test/calls.ts'
import type { DraftStep } from '../text/step.ts'
import { draftedChain } from './drafted-chain.ts'

const engine = await loadEngine()
afterAll(() => engine.close())
const prompt = { tokens: [1, 2, 3], channels: channelsAfter(''), question: '', salt: '' }
const context = new Context('run', prompt, [])
const request = parseVerify({ context: { id: 'run', length: 0 }, max_tokens: 100 })

function step(count: number, end: DraftStep['end'] = 'delimiter'): DraftStep {
  const tokens = Array.from({ length: count }, (_, i) => i)
  return { id: '', tokens, text: '', end, distributions: tokens.map(() => undefined) }
}
const starts = (drafted: DraftStep[], goesOn: boolean): readonly number[] =>
  draftedChain(engine.target, context, request, { drafted, goesOn, room: 100 }).starts

test('the target, unless more steps are drafted', () => {
  expect(starts([step(5), step(7)], false)).toEqual([0, 5, 12])
  expect(starts([step(5), step(7)], true)).toEqual([0, 5])
})

test('the target too where none is drafted yet, or the next has no room', () => {
  expect(starts([], true)).toEqual([0])
  expect(starts([step(5), step(200)], true)).toEqual([0, 5])
})

test('nobody, where the drafted steps end the text', () => {
  expect(starts([step(5), step(7, 'text')], false)).toEqual([0, 5])
})
