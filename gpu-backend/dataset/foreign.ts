/**
 * Problems about people, things, colours and units that training has no word of: what a model of the demo says of them
 * comes from the question, or else from nowhere. Numbers are those of the test split.
 */
import { COLOURS, PIECES, TREATS } from './families/amounts.ts'
import { EVENTS, MEASURED } from './families/life.ts'
import { ARTICLES, GOODS } from './families/money.ts'
import { PRODUCTS } from './families/rates.ts'
import { generateProblem, solvable, type Problem } from './problem.ts'
import { Random } from './random.ts'
import { namesOf } from './splits.ts'

export const foreignKinds = ['names', 'things', 'colours', 'units'] as const
/** What of a problem is foreign. */
export type ForeignKind = (typeof foreignKinds)[number]

/** Words that training knows, and words that it does not know, of the same kind. */
interface Words {
  kind: ForeignKind
  known: ReadonlySet<string>
  foreign: readonly string[]
}

const words = (kind: ForeignKind, known: readonly string[], foreign: string): Words => ({
  kind,
  known: new Set(known),
  foreign: foreign.split(' '),
})

const WORDS: readonly Words[] = [
  words(
    'names',
    namesOf('test'),
    'Ann Greta Oskar Yusuf Priya Chidi Hugo Ingrid Pablo Quinn Wanda Xavier Zoe Dmitri Fatima Kwame Bjorn Ursula Noor Thandi',
  ),
  words(
    'things',
    // Boxes are also what others are put into.
    [...PIECES, ...TREATS, ...GOODS, ...PRODUCTS].filter((thing) => thing !== 'boxes'),
    'kites drums flutes gloves candles ribbons buttons mugs spoons forks pillows blankets baskets lanterns violins puzzles ' +
      'magnets feathers acorns pebbles petals lemons mangoes walnuts pretzels muffins carrots turnips',
  ),
  words('colours', COLOURS, 'purple orange pink brown grey silver golden turquoise violet crimson'),
  words('things', ARTICLES, 'canoe piano sofa carpet mirror tractor guitar telescope'),
  words('things', EVENTS, 'lecture parade banquet wedding seminar contest recital workshop'),
  words('things', MEASURED, 'marathon pilgrimage recording hedge cable plank'),
]

/** Units, singular and plural, that no family needs to know more about than their names. */
const UNITS: readonly { known: readonly string[]; foreign: readonly (readonly string[])[] }[] = [
  { known: ['km'], foreign: [['mi'], ['nmi'], ['li']] },
  { known: ['litre', 'litres'], foreign: ['gallon', 'pint', 'barrel'].map((unit) => [unit, `${unit}s`]) },
  { known: ['metre', 'metres'], foreign: ['yard', 'span', 'fathom'].map((unit) => [unit, `${unit}s`]) },
  { known: ['points'], foreign: [['marks'], ['credits']] },
]

/** All words that make a problem foreign, in small letters. */
export const foreignWords: readonly string[] = [
  ...WORDS.flatMap(({ foreign }) => foreign),
  ...UNITS.flatMap(({ foreign }) => foreign.flat()),
].map((word) => word.toLowerCase())

/** The test problem with number `index`, in foreign words: always the same one. */
export function foreignProblem(index: number, kinds: readonly ForeignKind[] = foreignKinds): Problem {
  const problem = generateProblem(index, 'test')
  const texts = [problem.question, ...problem.contents.flatMap(({ label, unit }) => [label, unit])]
  // There the units are what the question is about: how many minutes an hour has is not said.
  const own = problem.family === 'conversion' ? kinds.filter((kind) => kind !== 'units') : kinds
  const exchange = exchanged(texts.flatMap(wordsOf), own, new Random(`foreign/${index}`))
  const say = (text: string): string => text.replace(WORD, (word) => exchange.get(word) ?? word)
  return solvable({
    ...problem,
    id: `foreign/${index}`,
    question: say(problem.question),
    contents: problem.contents.map((step) => ({ ...step, label: say(step.label), unit: say(step.unit) })),
  })
}

/** The first `limit` foreign problems. @param options default: all families, and all that can be is foreign */
export function foreignProblems(
  limit: number,
  { families, kinds }: { families?: readonly string[] | undefined; kinds?: readonly ForeignKind[] | undefined } = {},
): Problem[] {
  const problems: Problem[] = []
  for (let index = 0; problems.length < limit; index++) {
    const problem = foreignProblem(index, kinds)
    if (!families || families.includes(problem.family)) problems.push(problem)
  }
  return problems
}

const WORD = /[A-Za-z]+/g
const wordsOf = (text: string): string[] => text.match(WORD) ?? []

/** Words that can stand in a word's place: all of its kind, known where it is known and foreign where it is foreign. */
export function wordsLike(word: string): readonly string[] {
  for (const { known, foreign } of WORDS) {
    if (known.has(word)) return [...known]
    if (foreign.includes(word)) return foreign
  }
  return []
}

/** Whether a word is the name of a person. */
export const isName = (word: string): boolean => WORDS[0]!.known.has(word) || WORDS[0]!.foreign.includes(word)

/** A foreign word for each word of these that has one. */
function exchanged(texts: readonly string[], kinds: readonly ForeignKind[], random: Random): Map<string, string> {
  const pairs: [string, string][] = []
  for (const { kind, known, foreign } of WORDS) {
    const found = [...new Set(texts)].filter((word) => known.has(word))
    const others = random.several(foreign, found.length)
    if (kinds.includes(kind)) for (const [i, word] of found.entries()) pairs.push([word, others[i]!])
  }
  for (const { known, foreign } of UNITS) {
    const unit = random.pick(foreign)
    if (kinds.includes('units')) for (const [i, word] of known.entries()) pairs.push([word, unit[i]!])
  }
  return new Map(pairs)
}
