import { generateLongProblem, generateProblem } from '@lookahead/gpu-backend/dataset'

/** The training problems have few words between them, and so many problems of one part and of several have all of these. */
const PROBLEMS = 1000
const LONG_PROBLEMS = 50

const wordsOf = (question: string): string[] => question.match(/\p{L}+|[^\s\p{L}\d]/gu) ?? []

/**
 * Words and signs of a question that no problem has which the demo models have learnt from, each once. What begins with a
 * capital may be a name, and names are read syllable by syllable: it counts only where there are no numbers to reckon with.
 */
export function unfamiliarWords(question: string): string[] {
  const known = new Set<string>()
  const learnt = [
    ...Array.from({ length: PROBLEMS }, (_, i) => generateProblem(i, 'train')),
    ...Array.from({ length: LONG_PROBLEMS }, (_, i) => generateLongProblem(i, 'train')),
  ]
  for (const { question: asked } of learnt) for (const word of wordsOf(asked)) known.add(word.toLowerCase())
  const maybeName = (word: string) => /\d/.test(question) && /^\p{Lu}/u.test(word)
  return [...new Set(wordsOf(question))].filter((word) => !known.has(word.toLowerCase()) && !maybeName(word))
}
