import { chain } from './chain.ts'
import { contentRuleNames, contentRules, noJudge, plain, unlikely } from './rules/index.ts'
import type { ContentRule } from './rules/index.ts'
import { accepted, rejected } from './verifier.ts'
import type { StepContext, Verifier } from './verifier.ts'

/** Two steps, for a model that compares them. */
export interface Comparison {
  target: string
  draft: string
  context?: StepContext | undefined
}

/** Asks a model. @returns for each pair, whether its steps mean and compute the same; @throws the signal's reason, among others */
export type AskJudge = (pairs: readonly Comparison[], signal: AbortSignal) => Promise<boolean[]>

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
    return (await ask(steps, signal)).map((aligned) => (aligned ? accepted('judge') : rejected('judge')))
  },
})
