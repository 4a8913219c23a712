/** Verifiers on labelled pairs, as a run would ask them: what a rule decides is not asked about, the rest goes in batches. */
import { stepLogprobs } from '@lookahead/gpu-backend'
import type { Engine } from '@lookahead/gpu-backend'
import type { EquivalencePair } from '@lookahead/gpu-backend/dataset'
import { rejected } from '@lookahead/worker/verifiers'
import type { Pair, Ruling, Verifier } from '@lookahead/worker/verifiers'
import type { Verdict } from './verifiers-summary.ts'

/** A pair as verifiers are told of it, with what the target thinks of its drafted step. */
export interface Prepared {
  labelled: EquivalencePair
  pair: Pair
  /** Natural log-probability of the drafted step's least likely token, after the question and the steps before it. */
  least: number
}

/** Lets the target read every drafted step in its place. */
export async function prepare(engine: Engine, labelled: readonly EquivalencePair[]): Promise<Prepared[]> {
  const { tokenizer } = engine.target.model
  const encode = (text: string): number[] => tokenizer.encode(text, { continuing: true })
  const prepared: Prepared[] = []
  for (const one of labelled) {
    const { question, target, draft } = one
    const before = one.before.join('')
    const messages = [{ role: 'user', content: question }]
    const prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
    const [own, drafted] = [encode(target), encode(draft)]
    const logprobs = await stepLogprobs(engine.target, [...prompt, ...encode(before)], drafted)
    prepared.push({
      labelled: one,
      least: Math.min(...logprobs),
      pair: {
        draft: { text: draft, tokens: drafted, end: 'delimiter', unlikely: false },
        target: { text: target, tokens: own, end: 'delimiter' },
        context: { question, before },
      },
    })
    if (prepared.length % 200 === 0) console.error(`${prepared.length} of ${labelled.length} drafted steps read`)
  }
  return prepared
}

export interface Measured {
  verdicts: Verdict[]
  /** Pairs on which no rule decided. */
  asked: number
  /** Milliseconds of ruling and asking together, over all pairs. */
  msPerStep: number
}

export async function measurePairs(
  verifier: Verifier,
  prepared: readonly Prepared[],
  batch: number,
): Promise<Measured> {
  const { leastLogprob = -Infinity } = verifier
  const pairs = prepared.map(({ pair, least }) => ({
    ...pair,
    draft: { ...pair.draft, unlikely: least < leastLogprob },
  }))
  const start = performance.now()
  const rulings = pairs.map((pair): Ruling | undefined => verifier.rule(pair))
  const open = [...pairs.keys()].filter((i) => !rulings[i])
  const { signal } = new AbortController()
  for (let first = 0; first < open.length && verifier.ask; first += batch) {
    const places = open.slice(first, first + batch)
    const answers = await verifier.ask(
      places.map((i) => pairs[i]!),
      signal,
    )
    for (const [n, i] of places.entries()) rulings[i] = answers[n]
    if (first % (25 * batch) === 0) console.error(`${verifier.name}: asked about ${first} of ${open.length}`)
  }
  return {
    msPerStep: (performance.now() - start) / pairs.length,
    asked: open.length,
    verdicts: prepared.map(({ labelled }, i) => ({
      pair: { same: labelled.same, category: labelled.category, words: labelled.words },
      ...(rulings[i] ?? rejected('judge')),
    })),
  }
}
