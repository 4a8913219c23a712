/** Problems told in other words: their people, things, colours and units are exchanged, their numbers stay. */
import { COLOURS, PIECES, TREATS } from './families/amounts.ts'
import { EVENTS, MEASURED } from './families/life.ts'
import { ARTICLES, GOODS } from './families/money.ts'
import { PRODUCTS } from './families/rates.ts'
import { type Problem, solvable } from './problem.ts'
import { namesOf, type Split } from './splits.ts'

/** The words of the families that may be exchanged. */
export const KNOWN = {
  // Boxes are also what others are put into.
  things: [...PIECES, ...TREATS, ...GOODS, ...PRODUCTS].filter((thing) => thing !== 'boxes'),
  colours: COLOURS,
  articles: ARTICLES,
  events: EVENTS,
  measured: MEASURED,
} as const

export type WordKind = keyof typeof KNOWN | 'names'

/** The words of a kind that the problems of a split have. */
export const knownWords = (kind: WordKind, split: Split): readonly string[] =>
  kind === 'names' ? namesOf(split) : KNOWN[kind]

/** Units, singular and plural, that no family needs to know more about than their names. */
export const UNITS: readonly (readonly string[])[] = [['km'], ['litre', 'litres'], ['metre', 'metres'], ['points']]

const WORD = /[A-Za-z]+/g

/** The different words of a problem's question and contents, in the order in which they come. */
export function wordsOfProblem({ question, contents }: Pick<Problem, 'question' | 'contents'>): string[] {
  const texts = [question, ...contents.flatMap(({ label, unit }) => [label, unit])]
  return [...new Set(texts.flatMap((text) => text.match(WORD) ?? []))]
}

/** The problem with every word of `exchange` told as the word it maps to. */
export function reworded(problem: Problem, id: string, exchange: ReadonlyMap<string, string>): Problem {
  const say = (text: string): string => text.replace(WORD, (word) => exchange.get(word) ?? word)
  return solvable({
    ...problem,
    id,
    question: say(problem.question),
    contents: problem.contents.map((step) => ({ ...step, label: say(step.label), unit: say(step.unit) })),
  })
}
