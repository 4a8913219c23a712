/**
 * A decision model as a judge: one request for all open steps, and probabilities instead of text. Two shapes go by that name, and
 * the operator says which: System One's (`/systemone`: vLLM, SGLang, Fireworks; `/run/MODEL`: Workers AI) and OpenAI's (`/decisions`:
 * OpenAI, vLLM).
 */
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { logLine } from '../../log.ts'
import { words } from '../../lookahead/trouble.ts'
import type { AskJudge, Comparison } from '../../lookahead/verifiers/index.ts'
import type { Server } from './server.ts'

const SAME = 'same'
const OTHER = 'different'

const choices = {
  [SAME]: 'Both versions state, calculate and conclude the same, in whatever words.',
  [OTHER]: 'They differ in what they state, calculate or conclude, or it cannot be told.',
}

/** Hosted models read little more than 2,000 tokens, and cut the rest without a word. */
const BEFORE = 1_000

/** Servers answer no more in one request. */
const MOST_QUESTIONS = 64

const probability = v.pipe(v.number(), v.finite(), v.minValue(0))

/** Of a question that was refused, or answered otherwise, nothing is read: no is the safe answer. */
const Answers = v.object({
  answers: dictionary(v.object({ probabilities: v.optional(dictionary(probability), {}) })),
})

/** Workers AI has them in an envelope. */
const SystemOne = v.union([
  v.pipe(
    v.object({ success: v.literal(true), result: Answers }),
    v.transform(({ result }) => result),
  ),
  Answers,
])

const Decisions = v.object({
  answers: v.array(v.object({ probabilities: v.optional(v.array(v.object({ value: v.string(), probability })), []) })),
})

export const askSystemOne = (server: Server): AskJudge =>
  inBatches(async (pairs, signal) => {
    const questions = Object.fromEntries(
      pairs.map((pair, i) => [`step_${i}`, { type: 'choice', instructions: question(pair), criteria: choices }]),
    )
    const { path, model } = placeOf(server.model)
    const { answers } = await server.ask(path, { model, state: stateOf(pairs), questions }, SystemOne, signal)
    return pairs.map((_, i) => sameness(answers.get(`step_${i}`)?.probabilities))
  })

export const askDecisions = (server: Server): AskJudge =>
  inBatches(async (pairs, signal) => {
    const values = Object.entries(choices).map(([value, description]) => ({ value, description }))
    const questions = pairs.map((pair, i) => ({
      type: 'choice',
      name: `step_${i}`,
      instructions: question(pair),
      choices: values,
    }))
    const { answers } = await server.ask('/decisions', { input: stateOf(pairs), questions }, Decisions, signal)
    // They come in the order of the questions.
    return pairs.map((_, i) => {
      const told = answers[i]?.probabilities ?? []
      return sameness(new Map(told.map(({ value, probability: p }) => [value, p])))
    })
  })

/** Workers AI has its models below `/run`, by names like `@cf/cloudflare/clef-flash`. */
const placeOf = (model: string): { path: string; model: string } =>
  model.startsWith('@cf/')
    ? { path: `/run/${model}`, model: model.slice(model.lastIndexOf('/') + 1) }
    : { path: '/systemone', model }

/** As many requests as it takes, side by side. The steps of one that fails are left open. @throws where all fail */
function inBatches(ask: AskJudge): AskJudge {
  return async (pairs, signal) => {
    const count = Math.ceil(pairs.length / MOST_QUESTIONS)
    const batches = Array.from({ length: count }, (_, i) => pairs.slice(i * MOST_QUESTIONS, (i + 1) * MOST_QUESTIONS))
    const answers = await Promise.allSettled(batches.map((batch) => ask(batch, signal)))
    signal.throwIfAborted()
    const failures = answers.filter((answer) => answer.status === 'rejected')
    if (failures.length === count && failures[0]) throw failures[0].reason
    for (const { reason } of failures) logLine({ event: 'verifier.failed', verifier: 'judge', cause: words(reason) })
    return answers.flatMap((answer, i) =>
      answer.status === 'fulfilled' ? answer.value : batches[i]!.map(() => undefined),
    )
  }
}

/** How probable it is that both say the same. */
function sameness(of?: ReadonlyMap<string, number>): number | false {
  const [same = 0, other = 0] = [of?.get(SAME), of?.get(OTHER)]
  return same + other > 0 && of?.has(OTHER) ? same / (same + other) : false
}

/** What all pairs have in common: the problem, and the text before the first of them. */
const stateOf = ([first]: readonly Comparison[]): string =>
  first?.context
    ? `The problem:\n${first.context.question.trim()}\n\nThe beginning of its solution:\n${first.context.before.slice(-BEFORE).trim()}`
    : 'Steps of solutions.'

const question = ({ target, draft }: Comparison): string =>
  `Two versions of one step of the solution. Do they mean the same?\n\ns1:\n${target.trim()}\n\ns2:\n${draft.trim()}`
