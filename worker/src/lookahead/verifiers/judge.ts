import { chain } from './chain.ts'
import { contentRuleNames, contentRules, noJudge, plain, unlikely } from './rules/index.ts'
import type { ContentRule } from './rules/index.ts'
import { accepted, rejected } from './verifier.ts'
import type { Pair, Ruling, StepContext, Verifier } from './verifier.ts'

/** Two steps, for a model that compares them. */
export interface Comparison {
  target: string
  draft: string
  context?: StepContext | undefined
}

/** Whether two steps mean and compute the same, or how probable that is; undefined: nobody could be asked. */
type Answer = boolean | number | undefined

/** Asks a model. @returns an answer for each pair; @throws the signal's reason, among others */
export type AskJudge = (pairs: readonly Comparison[], signal: AbortSignal) => Promise<readonly Answer[]>

export interface JudgeOptions {
  /** Undefined: there is no judge, and only steps equal to the target's own are accepted. */
  ask: AskJudge | undefined
  /** See `Verifier.leastLogprob`: no judge is asked about a step that the target finds unlikely. */
  leastLogprob: number
  /** What is rejected without asking. Default: all of them. */
  rules?: readonly ContentRule[] | undefined
}

/** The same meaning: what is plain to see is ruled by rules, and a model judges the rest. */
export function judge({ ask, leastLogprob, rules = contentRuleNames }: JudgeOptions, name = 'judge'): Verifier {
  const known = [...plain, ...rules.map((rule) => contentRules[rule])]
  if (!ask) return chain(name, ...known, noJudge)
  return chain(name, ...known, unlikely(leastLogprob), asked(ask))
}

/** What the model says, whatever it is. */
const asked = (ask: AskJudge): Verifier => ({
  name: 'judge',
  rule: () => undefined,
  ask: async (pairs, signal) => {
    const steps = pairs.map(({ target, draft, context }) => ({ target: target.text, draft: draft.text, context }))
    const answers = await ask(steps, signal)
    return answers.map((answer, i) => ruling(answer, pairs[i]!))
  },
})

/** Both are told: whoever sees that they mean the same may see that they do. */
function ruling(answer: Answer, { target }: Pair): Ruling {
  if (answer === undefined) return rejected('judge_failed')
  const isAligned = typeof answer === 'boolean' ? answer : answer > 0.5
  return {
    ...(isAligned ? accepted('judge') : rejected('judge')),
    ...(typeof answer === 'number' && { probability: answer }),
    ...(isAligned && { target: target.text }),
  }
}
