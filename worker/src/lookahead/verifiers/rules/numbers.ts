import { rejected } from '../verifier.ts'
import type { Verifier } from '../verifier.ts'

/**
 * Other numbers, other meaning: rejects steps that do not name the same numbers, in whatever order and however often, and an
 * unfinished one as soon as it names a number that the draft does not. Not true of code or algebra: `x+x` is `2x`.
 */
export const numbers: Verifier = {
  name: 'numbers',
  rule: ({ draft, target }) => {
    if (target.end) return sameNumbers(draft.text, target.text) ? undefined : rejected('numbers')
    const number = lastNumber(target.text)
    return number !== undefined && !draft.text.includes(number) ? rejected('numbers') : undefined
  },
}

function sameNumbers(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => new Set(text.match(/\d+/g))) as [Set<string>, Set<string>]
  return x.size === y.size && [...x].every((number) => y.has(number))
}

/** The last number of a text that goes on after it: what may still grow is no number yet. */
const lastNumber = (text: string): string | undefined => /(\d+)\D+$/.exec(text.slice(-24))?.[1]
