import { rejected } from '../verifier.ts'
import type { DraftVersion, Verifier } from '../verifier.ts'
import { normalize } from './same.ts'

/**
 * Refuses drafts of which the target gives a token a smaller log-probability in its place: whoever sees two steps without
 * what stands before them cannot know that nobody asked about white shells, but the target does.
 */
export const unlikely = (leastLogprob: number): Verifier => ({
  ...refusal('unlikely', (draft) => draft.unlikely),
  leastLogprob,
})

/** Refuses what a judge would have to be asked about, where there is none. */
export const noJudge: Verifier = refusal('no_judge', () => true)

/** Rejects drafts of a kind unless they prove to be the target's own text, and as soon as they do not. */
function refusal(reason: string, applies: (draft: DraftVersion) => boolean): Verifier {
  return {
    name: reason,
    rule: ({ draft, target }) => {
      if (!applies(draft)) return undefined
      if (target.end) return rejected(reason)
      const differs = draft.end === 'delimiter' && !normalize(draft.text).startsWith(normalize(target.text))
      return differs ? rejected(reason) : undefined
    },
  }
}
