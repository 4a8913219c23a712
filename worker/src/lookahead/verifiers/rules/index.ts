/** Small rules, each a verifier that is a part of others (`chain`). */
import type { Verifier } from '../verifier.ts'
import { ends } from './ends.ts'
import { halfStep } from './half-step.ts'
import { names } from './names.ts'
import { numbers } from './numbers.ts'
import { sameText, sameTokens } from './same.ts'

export { ends } from './ends.ts'
export { halfStep } from './half-step.ts'
export { noJudge, unlikely } from './refusals.ts'
export { sameText, sameTokens } from './same.ts'

/** What whoever compares meanings need not be asked about: the same words, steps that were cut, ends of a text or of the thinking. */
export const plain: readonly Verifier[] = [sameTokens, halfStep, sameText, ends]

/** Rules that are true of word problems and not of everything: an operator may leave them out. */
export const contentRules = { numbers, names } as const
export type ContentRule = keyof typeof contentRules
export const contentRuleNames = Object.keys(contentRules) as ContentRule[]
