/**
 * Problems about people, things, colours and units that training has no word of: what a model of the demo says of them
 * comes from the question, or else from nowhere. Numbers are those of the test split.
 */
import type { Vocabulary } from './alterations.ts'
import { generateProblem, type Problem } from './problem.ts'
import { Random } from './random.ts'
import { knownWords, reworded, UNITS, type WordKind, wordsOfProblem } from './rewording.ts'

export const foreignKinds = ['names', 'things', 'colours', 'units'] as const
/** What of a problem is foreign. */
export type ForeignKind = (typeof foreignKinds)[number]

/** For each kind of known words, words that training does not know. */
const WORDS: readonly { of: WordKind; kind: ForeignKind; foreign: readonly string[] }[] = [
  {
    of: 'names',
    kind: 'names',
    foreign:
      'Ann Greta Oskar Yusuf Priya Chidi Hugo Ingrid Pablo Quinn Wanda Xavier Zoe Dmitri Fatima Kwame Bjorn Ursula Noor Thandi'.split(
        ' ',
      ),
  },
  {
    of: 'things',
    kind: 'things',
    foreign: (
      'kites drums flutes gloves candles ribbons buttons mugs spoons forks pillows blankets baskets lanterns violins puzzles ' +
      'magnets feathers acorns pebbles petals lemons mangoes walnuts pretzels muffins carrots turnips'
    ).split(' '),
  },
  {
    of: 'colours',
    kind: 'colours',
    foreign: 'purple orange pink brown grey silver golden turquoise violet crimson'.split(' '),
  },
  { of: 'articles', kind: 'things', foreign: 'canoe piano sofa carpet mirror tractor guitar telescope'.split(' ') },
  {
    of: 'events',
    kind: 'things',
    foreign: 'lecture parade banquet wedding seminar contest recital workshop'.split(' '),
  },
  { of: 'measured', kind: 'things', foreign: 'marathon pilgrimage recording hedge cable plank'.split(' ') },
]

/** For each of `UNITS`, others. */
const FOREIGN_UNITS: readonly (readonly (readonly string[])[])[] = [
  [['mi'], ['nmi'], ['li']],
  ['gallon', 'pint', 'barrel'].map((unit) => [unit, `${unit}s`]),
  ['yard', 'span', 'fathom'].map((unit) => [unit, `${unit}s`]),
  [['marks'], ['credits']],
]

/** All words that make a problem foreign, in small letters. */
export const foreignWords: readonly string[] = [
  ...WORDS.flatMap(({ foreign }) => foreign),
  ...FOREIGN_UNITS.flat(2),
].map((word) => word.toLowerCase())

/** The test problem with number `index`, in foreign words: always the same one. */
export function foreignProblem(index: number, kinds: readonly ForeignKind[] = foreignKinds): Problem {
  const problem = generateProblem(index, 'test')
  // There the units are what the question is about: how many minutes an hour has is not said.
  const own = problem.family === 'conversion' ? kinds.filter((kind) => kind !== 'units') : kinds
  const exchange = exchanged(wordsOfProblem(problem), own, new Random(`foreign/${index}`))
  return reworded(problem, `foreign/${index}`, exchange)
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

/** Words that can stand in a word's place: all of its kind, known where it is known and foreign where it is foreign. */
function wordsLike(word: string): readonly string[] {
  for (const { of, foreign } of WORDS) {
    const known = knownWords(of, 'test')
    if (known.includes(word)) return known
    if (foreign.includes(word)) return foreign
  }
  return []
}

/** Whether a word is the name of a person. */
const isName = (word: string): boolean =>
  WORDS.some(({ of, foreign }) => of === 'names' && [...knownWords(of, 'test'), ...foreign].includes(word))

/** The words of the test set and the foreign ones. */
export const testVocabulary: Vocabulary = {
  like: wordsLike,
  isName,
  units: ['$', 'km', 'mi', 'litres', 'gallons', 'metres', 'yards', 'minutes', 'years', 'points', 'marks'],
}

/** A foreign word for each word of these that has one. */
function exchanged(words: readonly string[], kinds: readonly ForeignKind[], random: Random): Map<string, string> {
  const pairs: [string, string][] = []
  for (const { of, kind, foreign } of WORDS) {
    const known = knownWords(of, 'test')
    const found = words.filter((word) => known.includes(word))
    const others = random.several(foreign, found.length)
    if (kinds.includes(kind)) for (const [i, word] of found.entries()) pairs.push([word, others[i]!])
  }
  for (const [i, known] of UNITS.entries()) {
    const unit = random.pick(FOREIGN_UNITS[i]!)
    if (kinds.includes('units')) for (const [form, word] of known.entries()) pairs.push([word, unit[form]!])
  }
  return new Map(pairs)
}
