/**
 * Training problems in invented words, drawn anew for each problem: nothing about them can be learned by heart, so a model
 * learns to copy the words of the question. None of the words of the foreign problems is ever drawn.
 */
import { foreignWords } from './foreign.ts'
import type { Problem } from './problem.ts'
import { Random } from './random.ts'
import { KNOWN, knownWords, reworded, UNITS, type WordKind, wordsOfProblem } from './rewording.ts'
import type { Split } from './splits.ts'

/** The kinds of words that can be invented. */
export const KINDS = ['names', ...(Object.keys(KNOWN) as (keyof typeof KNOWN)[])] satisfies WordKind[]

const ONSETS =
  'b c ch cr d dr f fl g gl gr h j k kl l m n p ph pl pr qu r s sh sk sl sp st str t th tr v w wh x y z'.split(' ')
const VOWELS = 'a e i o u a e i o u ai au ea ee ia ie oa oo ou y'.split(' ')
const CODAS = 'b ck d ft g k l ll lm m mp n nd ng nk nt p r rd rk rn rt s sk ss st t x z'.split(' ')
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('')

/** A word that looks like one: one to three syllables; every tenth is any letters. */
export function inventedWord(random: Random): string {
  for (;;) {
    const syllable = (): string =>
      (random.chance(0.85) ? random.pick(ONSETS) : '') +
      random.pick(VOWELS) +
      (random.chance(0.45) ? random.pick(CODAS) : '')
    const letters = (): string => random.pick(LETTERS)
    const word = random.chance(0.1)
      ? Array.from({ length: random.int(2, 7) }, letters).join('')
      : Array.from({ length: random.pick([1, 2, 2, 3]) }, syllable).join('')
    const forms = [word, `${word}s`, word.replace(/s$/, '')]
    if (word.length > 1 && word.length < 11 && !forms.some((form) => foreignWords.includes(form))) return word
  }
}

/** The problem with some kinds of its words, or all, exchanged for invented ones. @param split that `problem` is of */
export function inInventedWords(problem: Problem, split: Split, random: Random): Problem {
  return reworded(problem, `${problem.id}/invented`, inventedFor(problem, split, random))
}

/** An invented word for each word of some kinds of a problem, or of all. @param split that `problem` is of */
export function inventedFor(problem: Problem, split: Split, random: Random): Map<string, string> {
  const words = wordsOfProblem(problem)
  const all = random.chance(0.5)
  const exchange = new Map<string, string>()
  for (const kind of KINDS) {
    if (!all && random.chance(0.5)) continue
    const known = knownWords(kind, split)
    for (const word of words.filter((each) => known.includes(each))) exchange.set(word, invented(kind, random))
  }
  if (problem.family !== 'conversion' && random.chance(0.3)) {
    for (const forms of UNITS) {
      const unit = inventedWord(random)
      for (const [form, word] of forms.entries()) exchange.set(word, form === 0 && forms.length > 1 ? unit : `${unit}s`)
    }
  }
  return exchange
}

/** A new word for a word of a kind: names have a capital, things are several. */
export function invented(kind: WordKind, random: Random): string {
  const word = inventedWord(random)
  if (kind === 'names') return word[0]!.toUpperCase() + word.slice(1)
  return kind === 'things' ? `${word}s` : word
}
