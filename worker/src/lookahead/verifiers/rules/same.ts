import { ruleExactly } from '../exact.ts'
import { accepted } from '../verifier.ts'
import type { Verifier } from '../verifier.ts'

/** Accepts what is the target's own step token for token. */
export const sameTokens: Verifier = {
  name: 'same tokens',
  rule: (pair) => {
    const exactly = ruleExactly(pair)
    return exactly?.accepted ? exactly : undefined
  },
}

/** Accepts a whole step whose text is the target's, but for case and white space. */
export const sameText: Verifier = {
  name: 'same text',
  rule: ({ draft, target }) =>
    draft.end === target.end && normalize(draft.text) === normalize(target.text) ? accepted('exact') : undefined,
}

/** Ignores case and white space, as the paper's code does. */
export const normalize = (text: string): string => text.replace(/\s+/g, '').toLowerCase()
