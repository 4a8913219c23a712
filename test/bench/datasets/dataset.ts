/** What a benchmark asks, and how it marks the answers. */
import { equivalent } from '../answers/equivalent.ts'
import { extractAnswer } from '../answers/extract.ts'

export interface Mark {
  /** Parts answered rightly, */
  right: number
  /** of so many: 1 where a problem has no parts. */
  of: number
}

export interface BenchProblem {
  /** Like no other's in its dataset. */
  id: string
  /** What the model is asked, word for word. */
  question: string
  /** @param text all that the model wrote */
  mark: (text: string) => Mark
}

export interface Dataset {
  /** Name in results. */
  name: string
  /** Output tokens of a run at most, unless the flags say otherwise. */
  maxTokens: number
  /** The first `limit` problems, fewer where there are no more. */
  problems: (limit: number) => BenchProblem[]
}

/** One problem, one answer. */
export const whole = (isRight: boolean): Mark => ({ right: isRight ? 1 : 0, of: 1 })

/** Marks what the text answers, in a box or after "answer is", as mathematics. */
export const byEquivalence =
  (expected: string) =>
  (text: string): Mark => {
    const given = extractAnswer(text)
    return whole(given !== undefined && equivalent(given, expected))
  }
