import { tagsIn } from '@lookahead/sdk/protocol'
import { rejected } from '../verifier.ts'
import type { Verifier } from '../verifier.ts'

/** Rejects where one of the two ends the text, or begins or ends the thinking and the other does not: such words stand as the target's. */
export const ends: Verifier = {
  name: 'end',
  rule: ({ draft, target }) => {
    if (!target.end) return undefined
    const endsText = draft.end === 'text' || target.end === 'text'
    return endsText || !sameTags(draft.text, target.text) ? rejected('end') : undefined
  },
}

const sameTags = (a: string, b: string): boolean => tagsIn(a).join() === tagsIn(b).join()
