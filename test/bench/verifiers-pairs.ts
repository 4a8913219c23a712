/** Verifiers on labelled pairs, as a run would ask them: what a rule decides is not asked about, the rest goes in batches. */
import { readStep } from '@lookahead/gpu-backend'
import type { Engine, TokenOpinion } from '@lookahead/gpu-backend'
import type { EquivalencePair } from '@lookahead/gpu-backend/dataset'
import { rejected, typicality } from '@lookahead/worker/verifiers'
import type { Pair, Ruling, Verifier } from '@lookahead/worker/verifiers'
import type { Verdict } from './verifiers-summary.ts'

/** A pair as verifiers are told of it, with what the target thinks of its drafted step. */
export interface Prepared {
  labelled: EquivalencePair
  pair: Pair
  /** Natural log-probability of the drafted step's least likely token, after the question and the steps before it. */
  least: number
  /** How typical its least typical token is of the target. */
  typical: number
  /** What the target thinks of each of its tokens. */
  opinions: readonly TokenOpinion[]
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
    const opinions = await readStep(engine.target, [...prompt, ...encode(before)], drafted)
    prepared.push({
      labelled: one,
      least: Math.min(...opinions.map(({ logprob }) => logprob)),
      typical: Math.min(...opinions.map(({ p }, i) => typicality(drafted[i]!, p))),
      opinions,
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
  const pairs = prepared.map((step) => ({
    ...step.pair,
    draft: { ...step.pair.draft, unlikely: isUnlikely(verifier, step) },
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

/** As a verification says it. */
function isUnlikely(verifier: Verifier, { pair: { draft }, least, opinions }: Prepared): boolean {
  const { leastLogprob = -Infinity } = verifier
  const kept = verifier.kept?.(draft.tokens, (i) => opinions[i]!.p)
  return least < leastLogprob || (kept !== undefined && kept < draft.tokens.length)
}
