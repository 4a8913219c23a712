/** Drafting and verification at the same time, or in turns: with the exact verifier the shipped models write what the target writes alone. */
import { describe, expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { follow, unaided, verify } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { VerifyEvent } from './events.ts'

const stage = stageEngine()
const questions = testProblems(3).map(({ question }) => [{ role: 'user' as const, content: question }])
const guesses = { drafted: true, ngram: 8, draft: 16 }

const tokensOf = (events: readonly VerifyEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'commit' ? event.tokens : []))

describe.each([
  ['overlapped', true],
  ['in turns', false],
])('%s', (_, overlap) => {
  test.each([
    ['temperature 0', { temperature: 0 }],
    ['a seed', { temperature: 1, seed: 5 }],
  ])('with the exact verifier the text is that of plain decoding: %s', async (_name, sampling) => {
    let accepted = 0
    for (const messages of questions) {
      const common = { sampling, max_tokens: 200, verifier: 'exact' }
      const id = `plain ${JSON.stringify(messages)}`.slice(0, 60)
      const plain = await verify(stage.engine, { id, messages }, { ...common, decode: 'end', speculation: unaided })
      stage.engine.contexts.drop(id)
      for (const speculation of [guesses, unaided]) {
        const events = await follow(stage.engine, { messages }, { ...common, speculation, depth: 4, overlap })
        expect(tokensOf(events)).toEqual(plain.commit.tokens)
        accepted += events.filter((event) => event.type === 'verdict' && event.accepted).length
      }
    }
    expect(accepted).toBeGreaterThan(1)
  })
})
