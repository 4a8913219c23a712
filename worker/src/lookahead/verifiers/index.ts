/** The verifiers: each one file. To add one, write it and name it in `verifiers`, or hand it to the engine that shall have it. */
import { exact } from './exact.ts'
import { judge } from './judge.ts'
import { likelihood } from './likelihood.ts'
import type { JudgeOptions } from './judge.ts'
import type { Verifier } from './verifier.ts'

export { exact } from './exact.ts'
export { judge } from './judge.ts'
export { likelihood } from './likelihood.ts'
export type { AskJudge, JudgeOptions } from './judge.ts'
export { rejected } from './verifier.ts'
export type { DraftedStep, Pair, Ruling, StepEnd, TargetVersion, Verifier } from './verifier.ts'

/** All verifiers by name. @param others replace those of the same name */
export function verifiers(options: JudgeOptions, others: readonly Verifier[] = []): ReadonlyMap<string, Verifier> {
  return new Map([exact, judge(options), likelihood(options), ...others].map((verifier) => [verifier.name, verifier]))
}
