/** The verifiers: each one file. To add one, write it and name it in `verifiers`, or hand it to the engine that shall have it. */
import { exact } from './exact.ts'
import { judge } from './judge.ts'
import { likelihood } from './likelihood.ts'
import type { JudgeOptions } from './judge.ts'
import { random } from './random.ts'
import { score } from './score.ts'
import type { AskScore } from './score.ts'
import type { Verifier } from './verifier.ts'

export { chain } from './chain.ts'
export { embedding, EMBEDDING_THRESHOLD } from './embedding.ts'
export type { Embed, EmbeddingOptions } from './embedding.ts'
export { exact } from './exact.ts'
export { judge } from './judge.ts'
export { likelihood, LIKELIHOOD_THRESHOLD, typicality } from './likelihood.ts'
export type { LikelihoodOptions } from './likelihood.ts'
export type { AskJudge, Comparison, JudgeOptions } from './judge.ts'
export { random } from './random.ts'
export type { RandomOptions } from './random.ts'
export { contentRuleNames } from './rules/index.ts'
export type { ContentRule } from './rules/index.ts'
export { score, SCORE_PREFILL, SCORE_QUESTION } from './score.ts'
export type { AskScore, ScoreOptions } from './score.ts'
export { accepted, rejected } from './verifier.ts'
export type {
  DraftVersion,
  Pair,
  Ruling,
  StepContext,
  StepEnd,
  TargetVersion,
  TokenDistribution,
  Verifier,
} from './verifier.ts'

/** What the verifiers need of an engine, and what its operator chose. */
export interface VerifierOptions extends JudgeOptions {
  /** Undefined: nobody rates steps, and there is no `score`. */
  score?: AskScore | undefined
}

/** All verifiers by name. @param others replace those of the same name */
export function verifiers(options: VerifierOptions, others: readonly Verifier[] = []): ReadonlyMap<string, Verifier> {
  const ours = [
    exact,
    judge(options),
    judge({ ...options, rules: [] }, 'judge-only'),
    likelihood(),
    ...(options.score ? [score({ ask: options.score })] : []),
    random(),
  ]
  return new Map([...ours, ...others].map((verifier) => [verifier.name, verifier]))
}
