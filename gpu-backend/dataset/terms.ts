import type { Problem } from './problem.ts'
import { framings, sayAnswerInAllWords, sayStepInAllWords } from './wordings.ts'

/** The words of a text, in small letters, and its numbers, whole as they stand: `11:25` are two. */
export const terms = (text: string): string[] => text.toLowerCase().match(/\p{L}+|\d+/gu) ?? []

/** Words about nothing: any solution may have them. */
const framing = framings().flatMap((text) => terms(text).filter((term) => !/\d/.test(term)))

/** The steps of all right solutions, in all their words. */
export const rightSteps = ({ contents }: Problem): Set<string> => new Set(contents.flatMap(sayStepInAllWords))

/**
 * All that may be said of a problem: what the question says, and what a right solution can say in any wording, down to the
 * partial products and the carries of its calculations.
 */
export function derivableTerms({ question, contents, answer }: Problem): Set<string> {
  const texts = [question, ...contents.flatMap(sayStepInAllWords), ...sayAnswerInAllWords(answer)]
  return new Set([...texts.flatMap(terms), ...framing])
}
