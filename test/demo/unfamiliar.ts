import { generateLongProblem, generateProblem } from '@lookahead/gpu-backend/dataset'

/** The training problems have few words between them, and so many problems of one part and of several have all of these. */
const PROBLEMS = 1000
const LONG_PROBLEMS = 50
/** No problem has fewer. */
const LEAST_NUMBERS = 3

const wordsOf = (question: string): string[] => question.match(/\p{L}+|\d+|[^\s\p{L}\d]/gu) ?? []
const isNumber = (word: string): boolean => /^\d/.test(word)
const isCapital = (word: string): boolean => /^\p{Lu}/u.test(word)

/** Whether a question tells something first, with numbers to reckon with, as all do which the demo models have learnt from. */
export function isStory(question: string): boolean {
  const numbers = wordsOf(question).filter(isNumber)
  return numbers.length >= LEAST_NUMBERS && /[.;?!]\s+\S/.test(question)
}

/**
 * Words and signs of a question that no problem has which the demo models have learnt from, each once. Names are read syllable
 * by syllable, so any will do where there are numbers: what begins with a capital where those problems have names.
 */
export function unfamiliarWords(question: string): string[] {
  const { known, beforeNames } = (learnt ??= learn())
  const asked = wordsOf(question)
  const hasNumbers = asked.some(isNumber)
  const names = asked.filter((word, i) => hasNumbers && isCapital(word) && beforeNames.has(before(asked, i)))
  return [...new Set(asked)].filter(
    (word) => !isNumber(word) && !known.has(word.toLowerCase()) && !names.includes(word),
  )
}

interface Learnt {
  /** In lower case. */
  known: ReadonlySet<string>
  beforeNames: ReadonlySet<string>
}

let learnt: Learnt | undefined

function learn(): Learnt {
  const problems = [
    ...Array.from({ length: PROBLEMS }, (_, i) => generateProblem(i, 'train')),
    ...Array.from({ length: LONG_PROBLEMS }, (_, i) => generateLongProblem(i, 'train')),
  ].map(({ question }) => wordsOf(question))
  const written = new Set(problems.flat())
  const isName = (word: string): boolean => isCapital(word) && !written.has(word.toLowerCase())
  return {
    known: new Set(problems.flat().map((word) => word.toLowerCase())),
    beforeNames: new Set(
      problems.flatMap((words) => words.flatMap((word, i) => (isName(word) ? before(words, i) : []))),
    ),
  }
}

/** What stands before a word; nothing before the first. */
const before = (words: readonly string[], i: number): string => words[i - 1] ?? ''
