import { accepted, rejected } from './verifier.ts'
import type { Pair, Ruling, Verifier } from './verifier.ts'

/** Token for token: with it the output is the target's own. It rejects as soon as one token differs. */
export const exact: Verifier = { name: 'exact', cuts: true, rule: ruleExactly }

export function ruleExactly({ draft, target }: Pair): Ruling | undefined {
  if (target.tokens.some((token, i) => token !== draft.tokens[i])) return rejected('exact')
  if (target.tokens.length === draft.tokens.length) return accepted('exact')
  return target.end ? rejected('exact') : undefined
}
