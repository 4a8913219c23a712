/**
 * A decision model as a judge: one request for all open steps, and probabilities instead of text. Two shapes go by that name, and
 * the operator says which: System One's (`/systemone`: Workers AI, vLLM, SGLang, Fireworks) and OpenAI's (`/decisions`: OpenAI, vLLM).
 */
import * as v from 'valibot'
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

const probability = v.number()

/** Of a question that was refused, or answered otherwise, nothing is read: no is the safe answer. */
const SystemOne = v.object({
  answers: v.record(v.string(), v.object({ probabilities: v.optional(v.record(v.string(), probability), {}) })),
})

const Decisions = v.object({
  answers: v.array(v.object({ probabilities: v.optional(v.array(v.object({ value: v.string(), probability })), []) })),
})

export const askSystemOne =
  (server: Server): AskJudge =>
  async (pairs, signal) => {
    const questions = Object.fromEntries(
      pairs.map((pair, i) => [`step_${i}`, { type: 'choice', instructions: question(pair), criteria: choices }]),
    )
    const { answers } = await server.ask('/systemone', { state: stateOf(pairs), questions }, SystemOne, signal)
    return pairs.map((_, i) => isLikelier(answers[`step_${i}`]?.probabilities ?? {}))
  }

export const askDecisions =
  (server: Server): AskJudge =>
  async (pairs, signal) => {
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
      return isLikelier(Object.fromEntries(told.map(({ value, probability: p }) => [value, p])))
    })
  }

const isLikelier = (of: Record<string, number>): boolean => (of[SAME] ?? 0) > (of[OTHER] ?? 1)

/** What all pairs have in common: the problem, and the text before the first of them. */
const stateOf = ([first]: readonly Comparison[]): string =>
  first?.context
    ? `The problem:\n${first.context.question.trim()}\n\nThe beginning of its solution:\n${first.context.before.slice(-BEFORE).trim()}`
    : 'Steps of solutions.'

const question = ({ target, draft }: Comparison): string =>
  `Two versions of one step of the solution. Do they mean the same?\n\ns1:\n${target.trim()}\n\ns2:\n${draft.trim()}`
