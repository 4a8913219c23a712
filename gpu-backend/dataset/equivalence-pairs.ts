/**
 * A benchmark of step equivalence: pairs of steps, in their place, that mean the same in other words, or look much the same
 * and mean something else. Half are of problems in words that training has, half in foreign ones (`foreign.ts`).
 */
import { otherMeaning, otherNumbers, sameMeaning, type Alteration } from './alterations.ts'
import { foreignProblem, testVocabulary } from './foreign.ts'
import { generateProblem } from './problem.ts'
import { Random } from './random.ts'
import { sayStep } from './wordings.ts'

export interface EquivalencePair {
  question: string
  /** The steps before the two, each with its delimiter. */
  before: string[]
  /** Right in its place. */
  target: string
  draft: string
  /** Whether the two mean and compute the same; known from how the draft was made. */
  same: boolean
  /** How it was made. */
  category: string
  words: 'known' | 'foreign'
}

interface Category {
  name: string
  same: boolean
  /** Of all pairs. */
  share: number
  alter: Alteration
}

/** Half of the pairs mean the same, most of them plain paraphrases. */
const SHARES: Record<string, number> = { paraphrase: 0.3 }
const FEW = 0.1

export const categories: readonly Category[] = [
  ...Object.entries(sameMeaning).map(([name, alter]) => ({ name, same: true, share: SHARES[name] ?? FEW, alter })),
  ...Object.entries(otherMeaning).map(([name, alter], _, all) => ({
    name,
    same: false,
    share: 0.5 / all.length,
    alter,
  })),
]

/**
 * About `count` pairs, of each category its share, and half of them in each kind of words: always the same ones.
 * @param seed another one gives other pairs
 */
export function equivalencePairs(count: number, seed = 0): EquivalencePair[] {
  return (['known', 'foreign'] as const).flatMap((words) => {
    const room = new Map(categories.map(({ name, share }) => [name, Math.ceil((count * share) / 2)]))
    const pairs: EquivalencePair[] = []
    for (let index = 0; room.size > 0; index++) {
      for (const pair of pairsOf(index, words, seed, room)) {
        pairs.push(pair)
        const left = room.get(pair.category)! - 1
        if (left > 0) room.set(pair.category, left)
        else room.delete(pair.category)
      }
    }
    return pairs
  })
}

/** Of one problem at most one pair of each category for which there is room. */
function pairsOf(
  index: number,
  words: EquivalencePair['words'],
  seed: number,
  room: ReadonlyMap<string, number>,
): EquivalencePair[] {
  const problem = words === 'known' ? generateProblem(index, 'test') : foreignProblem(index)
  const random = new Random(`equivalence/${seed}/${words}/${index}`)
  return categories
    .filter(({ name }) => room.has(name))
    .flatMap(({ name, same, alter }) => {
      const place = random.int(0, problem.contents.length - 1)
      const said = alter(problem.contents[place]!, problem, random, testVocabulary)
      // What is the same text is no question, and other numbers would be too easy a one.
      if (!said || said.target === said.draft) return []
      if (!same && !otherNumbers.has(name) && numbers(said.target) !== numbers(said.draft)) return []
      const before = problem.contents.slice(0, place).map((step) => sayStep(step, random))
      const { target, draft } = said
      return [{ question: problem.question, before, target, draft, same, category: name, words }]
    })
}

const numbers = (text: string): string => [...new Set(text.match(/\d+/g))].toSorted().join()
