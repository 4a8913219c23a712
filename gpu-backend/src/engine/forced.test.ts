import { expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { follow, loadEngine } from '../../test/calls.ts'
import { serve } from '../server/serve.ts'
import type { ServeOptions } from '../server/flags.ts'
import type { Engine } from './engine.ts'
import type { ForcedAcceptance } from './forced.ts'

const messages = [{ role: 'user' as const, content: testProblems(1)[0]!.question }]
const speculation = { drafted: true, ngram: 0, draft: 0 }

/** Drafted and accepted steps, guessed and kept tokens. */
async function rates(forced: ForcedAcceptance) {
  const engine: Engine = await loadEngine({ forced })
  try {
    const options = { depth: 2, overlap: false, verifier: 'judge', speculation, max_tokens: 300 }
    const events = await follow(engine, { messages }, { ...options, sampling: { temperature: 1 } })
    const verdicts = events.flatMap((event) => (event.type === 'verdict' ? [event.accepted] : []))
    const done = events.flatMap((event) => (event.type === 'cycle' ? (event.speculation ?? []) : []))
    return {
      steps: verdicts.filter(Boolean).length / verdicts.length,
      tokens:
        done.reduce((sum, { accepted }) => sum + accepted, 0) / done.reduce((sum, { proposed }) => sum + proposed, 0),
    }
  } finally {
    engine.close()
  }
}

test('all is accepted, or nothing, whatever the models say', async () => {
  expect(await rates({ steps: 1, tokens: 1 })).toEqual({ steps: 1, tokens: 1 })
  expect(await rates({ steps: 0, tokens: 0 })).toEqual({ steps: 0, tokens: 0 })
})

test('a part of the steps, at the rate that was asked for', async () => {
  const { steps } = await rates({ steps: 0.5, tokens: 1, seed: 3 })
  expect(steps).toBeGreaterThan(0.15)
  expect(steps).toBeLessThan(0.85)
})

test('no server offers it', async () => {
  const options = { forced: { steps: 1, tokens: 1 } } as unknown as ServeOptions
  await expect(serve(options)).rejects.toThrow(/benchmarks/)
})
