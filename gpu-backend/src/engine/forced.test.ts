import { expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { follow, loadEngine } from '../../test/calls.ts'
import { serve } from '../server/serve.ts'
import type { ServeOptions } from '../server/flags.ts'
import type { Engine } from './engine.ts'
import type { ForcedAcceptance } from './forced.ts'

const speculation = { drafted: true, ngram: 0, draft: 0 }

/** Accepted ones of the drafted steps, and kept ones of the guessed tokens, in texts on so many problems. */
async function rates(forced: ForcedAcceptance, problems = 1) {
  const engine: Engine = await loadEngine({ forced })
  try {
    const sampling = { temperature: 1, seed: 5 }
    const options = { depth: 2, overlap: false, verifier: 'judge', speculation, max_tokens: 300, sampling }
    const events: Awaited<ReturnType<typeof follow>> = []
    for (const { question } of testProblems(problems))
      events.push(...(await follow(engine, { messages: [{ role: 'user', content: question }] }, options)))
    const verdicts = events.flatMap((event) => (event.type === 'verdict' ? [event.accepted] : []))
    const done = events.flatMap((event) => (event.type === 'cycle' ? (event.speculation ?? []) : []))
    return {
      verdicts: verdicts.length,
      steps: verdicts.filter(Boolean).length / verdicts.length,
      tokens:
        done.reduce((sum, { accepted }) => sum + accepted, 0) / done.reduce((sum, { proposed }) => sum + proposed, 0),
    }
  } finally {
    engine.close()
  }
}

test('all is accepted, or nothing, whatever the models say', async () => {
  expect(await rates({ steps: 1, tokens: 1 })).toMatchObject({ steps: 1, tokens: 1 })
  expect(await rates({ steps: 0, tokens: 0 })).toMatchObject({ steps: 0, tokens: 0 })
})

test('a part of the steps, at the rate that was asked for', async () => {
  const { verdicts, steps } = await rates({ steps: 0.5, tokens: 1, seed: 3 }, 8)
  expect(verdicts).toBeGreaterThan(40)
  expect(steps).toBeGreaterThan(0.25)
  expect(steps).toBeLessThan(0.75)
})

test('no server offers it', async () => {
  const options = { forced: { steps: 1, tokens: 1 } } as unknown as ServeOptions
  await expect(serve(options)).rejects.toThrow(/benchmarks/)
})
