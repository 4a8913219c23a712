/**
 * Judge pairs that look much the same, made as those of the benchmark are (`alterations.ts`), of training problems and mostly
 * in invented words: what a judge learns of them is to compare, not which words there are.
 */
import { otherMeaning, sameMeaning, type Alteration, type Said, type Vocabulary } from './alterations.ts'
import { invented, inventedFor, KINDS } from './invented.ts'
import type { JudgePair } from './judge-pairs.ts'
import { generateProblem } from './problem.ts'
import { Random } from './random.ts'
import { knownWords, reworded } from './rewording.ts'
import type { Split } from './splits.ts'
import { sayStepInAllWords } from './wordings.ts'
import type { StepContent } from './work.ts'

/** How often each way is drawn, of pairs that mean the same and of those that do not. */
const SAME: Record<string, number> = {
  paraphrase: 50,
  'facts in another order': 25,
  'operands exchanged that may be': 25,
}
const OTHER: Record<string, number> = {
  entity: 10,
  person: 10,
  'entity from nowhere': 12,
  subject: 12,
  direction: 8,
  operands: 8,
  'numbers exchanged': 8,
  operation: 8,
  sign: 6,
  unit: 6,
  result: 6,
  negation: 5,
  'a digit': 4,
  'another step': 2,
}

const INVENTED = 0.7
/** Invented words that a problem does not have, of each kind. */
const STRANGERS = 6
const KNOWN_UNITS = ['$', 'km', 'litres', 'metres', 'minutes', 'years', 'points', 'hours', 'weeks', 'seats', 'boxes']
const PROBLEMS = 1_000_000

/** The pair with number `index` of a split: aligned if that is even. */
export function hardPair(index: number, split: Split): JudgePair {
  const random = new Random(`hard/${split}/${index}`)
  const same = index % 2 === 0
  const [why, alter] = same ? drawn(sameMeaning, SAME, random) : drawn(otherMeaning, OTHER, random)
  for (;;) {
    const known = generateProblem(random.int(0, PROBLEMS), split)
    const exchange = random.chance(INVENTED) ? inventedFor(known, split, random) : new Map<string, string>()
    const problem = reworded(known, `${known.id}/hard`, exchange)
    const vocabulary = vocabularyOf(split, exchange, random)
    for (const step of random.several(problem.contents, problem.contents.length)) {
      const said = alter(step, problem, random, vocabulary)
      if (!said || said.target === said.draft) continue
      const strange = same ? [] : strangeWords(step, said)
      const [target, draft] = random.chance(0.5) ? [said.target, said.draft] : [said.draft, said.target]
      return { target, draft, label: same ? 'aligned' : 'unaligned', why, strange }
    }
  }
}

function drawn(ways: Record<string, Alteration>, shares: Record<string, number>, random: Random): [string, Alteration] {
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0)
  let place = random.int(1, total)
  return Object.entries(ways).find(([name]) => (place -= shares[name]!) <= 0)!
}

/** The words of a split as they are told, and some that the problem does not have. */
function vocabularyOf(split: Split, exchange: ReadonlyMap<string, string>, random: Random): Vocabulary {
  const told = (word: string): string => exchange.get(word) ?? word
  const count = exchange.size > 0 ? STRANGERS : 0
  const kinds = KINDS.map((kind) => ({
    kind,
    words: [...knownWords(kind, split).map(told), ...Array.from({ length: count }, () => invented(kind, random))],
  }))
  const ofKind = (word: string) => kinds.find(({ words }) => words.includes(word))
  return {
    like: (word) => ofKind(word)?.words ?? [],
    isName: (word) => ofKind(word)?.kind === 'names',
    units: [...KNOWN_UNITS.map(told), ...Array.from({ length: count }, () => invented('things', random))],
  }
}

/** The words of either text that no wording of what the other says has: each shows alone that the two differ. */
function strangeWords(step: StepContent, { target, draft, changed }: Said): string[] {
  const own = wordsOfAll(step)
  const others = changed ? wordsOfAll(changed) : undefined
  const beyond = (text: string, known: ReadonlySet<string>): string[] =>
    wordsOf(text).filter((word) => !known.has(word))
  return [...new Set([...beyond(draft, own), ...(others ? beyond(target, others) : [])])]
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}+|[^\s\p{L}\d.,:;?!]/gu) ?? []
const wordsOfAll = (step: StepContent): Set<string> => new Set(sayStepInAllWords(step).flatMap(wordsOf))
