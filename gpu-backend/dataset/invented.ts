/**
 * Training problems in invented words, drawn anew for each problem: nothing about them can be learned by heart, so a model
 * learns to copy the words of the question. None of the words of the foreign problems, or names of the test set, is ever drawn.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { foreignWords } from './foreign.ts'
import { generateProblem, type Problem } from './problem.ts'
import { Random } from './random.ts'
import { KNOWN, knownWords, reworded, UNITS, type WordKind, wordsOfProblem } from './rewording.ts'
import { namesOf } from './splits.ts'
import type { Split } from './splits.ts'
import { terms } from './terms.ts'

/** The kinds of words that can be invented. */
export const KINDS = ['names', ...(Object.keys(KNOWN) as (keyof typeof KNOWN)[])] satisfies WordKind[]

const ONSETS =
  'b c ch cr d dr f fl g gl gr h j k kl l m n p ph pl pr qu r s sh sk sl sp st str t th tr v w wh x y z'.split(' ')
const VOWELS = 'a e i o u a e i o u ai au ea ee ia ie oa oo ou y'.split(' ')
const CODAS = 'b ck d ft g k l ll lm m mp n nd ng nk nt p r rd rk rn rt s sk ss st t x z'.split(' ')
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('')

/** Tokens of the models' tokenizer that words begin with, and those that come later in them. */
export type WordTokens = Record<'first' | 'later', readonly string[]>

/** Of the tokens of words, where some are hard. */
const HARD_SHARE = 0.6

let vocabulary: WordTokens | undefined
export const wordTokens = () => (vocabulary ??= readTokens())

function readTokens() {
  const file = path.join(import.meta.dirname, '../models/target/tokenizer.json')
  const { model } = JSON.parse(readFileSync(file, 'utf8')) as { model: { vocab: Record<string, number> } }
  const like = (form: RegExp) => Object.keys(model.vocab).flatMap((token) => form.exec(token)?.[1] ?? [])
  return { first: like(/^Ġ([a-z]+)$/), later: like(/^([a-z]+)$/) }
}

/** Words of training problems. */
let told: readonly string[] | undefined
const toldWords = (): readonly string[] =>
  (told ??= [
    ...new Set(
      Array.from({ length: 300 }, (_, i) => generateProblem(i, 'train')).flatMap((problem) =>
        terms(problem.question + problem.solve(0).steps.join('')).filter((term) => /^[a-z]{4,}$/.test(term)),
      ),
    ),
  ])

const ofSyllables = (random: Random): string => {
  const syllable = (): string =>
    (random.chance(0.85) ? random.pick(ONSETS) : '') +
    random.pick(VOWELS) +
    (random.chance(0.45) ? random.pick(CODAS) : '')
  return Array.from({ length: random.pick([1, 2, 2, 3]) }, syllable).join('')
}

function ofTokens(random: Random, hard?: WordTokens): string {
  const all = wordTokens()
  const one = (place: keyof WordTokens) => random.pick(hard && random.chance(HARD_SHARE) ? hard[place] : all[place])
  return [
    one('first'),
    ...Array.from({ length: random.pick(hard ? [0, 1, 1, 2] : [1, 1, 2]) }, () => one('later')),
  ].join('')
}

const anyLetters = (random: Random, most: number): string =>
  Array.from({ length: random.int(2, most) }, () => random.pick(LETTERS)).join('')

/** The beginning of one known word and the end of another. */
function glued(random: Random): string {
  const [first, last] = [random.pick(toldWords()), random.pick(toldWords())]
  return first.slice(0, random.int(1, first.length - 1)) + last.slice(random.int(1, last.length - 1))
}

/**
 * A word of any tokens (7 of 10), of one to three syllables, glued from two words, or of any letters. A model learns to copy the tokens that it has seen copied, at the
 * beginning of a word or later in it, and syllables have only some of them.
 * @param hard tokens that most of these words are to be made of
 */
export function inventedWord(random: Random, hard?: WordTokens): string {
  for (;;) {
    const of = random.int(1, 10)
    const word =
      of > 3 ? ofTokens(random, hard) : of > 2 ? glued(random) : of > 1 ? ofSyllables(random) : anyLetters(random, 7)
    const isTaken = isForeign(word) || isTestName(word) || toldWords().includes(word)
    if (word.length > 1 && word.length < 12 && !isTaken) return word
  }
}

const testNames = new Set(namesOf('test').map((name) => name.toLowerCase()))
const isTestName = (word: string): boolean => testNames.has(word)

const isForeign = (word: string): boolean =>
  [word, `${word}s`, word.replace(/s$/, '')].some((form) => foreignWords.includes(form))

/** The problem with some kinds of its words, or all, exchanged for invented ones. @param split that `problem` is of @param hard as for `inventedWord` */
export function inInventedWords(problem: Problem, split: Split, random: Random, hard?: WordTokens): Problem {
  return reworded(problem, `${problem.id}/invented`, inventedFor(problem, split, random, hard))
}

/** As in invented words, and most longer words of the question too, whatever they mean: what remains to be learned is copying. */
export function inScrambledWords(problem: Problem, split: Split, random: Random, hard?: WordTokens): Problem {
  const exchange = inventedFor(problem, split, random, hard)
  for (const word of wordsOfProblem({ question: problem.question, contents: [] }))
    if (word.length > 3 && !exchange.has(word) && random.chance(0.8)) exchange.set(word, inventedWord(random, hard))
  return reworded(problem, `${problem.id}/random`, exchange)
}

/** An invented word for each word of some kinds of a problem, or of all. @param split that `problem` is of @param hard as for `inventedWord` */
export function inventedFor(problem: Problem, split: Split, random: Random, hard?: WordTokens): Map<string, string> {
  const words = wordsOfProblem(problem)
  const all = random.chance(0.5)
  const exchange = new Map<string, string>()
  for (const kind of KINDS) {
    if (!all && random.chance(0.5)) continue
    const known = knownWords(kind, split)
    for (const word of words.filter((each) => known.includes(each))) exchange.set(word, invented(kind, random, hard))
  }
  if (problem.family !== 'conversion' && random.chance(0.5)) {
    for (const forms of UNITS)
      for (const [i, unit] of unitForms(random, forms.length, hard).entries()) exchange.set(forms[i]!, unit)
  }
  return exchange
}

/** A new unit: singular and plural, or in one form, which may be an abbreviation. */
function unitForms(random: Random, forms: number, hard?: WordTokens): string[] {
  if (forms === 1 && random.chance(0.4)) return [abbreviation(random)]
  const unit = inventedWord(random, hard)
  return forms === 1 ? [`${unit}s`] : [unit, `${unit}s`]
}

function abbreviation(random: Random): string {
  for (;;) {
    const letters = anyLetters(random, 3)
    if (!isForeign(letters)) return letters
  }
}

/** A new word for a word of a kind: names have a capital, things are several. */
export function invented(kind: WordKind, random: Random, hard?: WordTokens): string {
  const word = inventedWord(random, hard)
  if (kind === 'names') return word[0]!.toUpperCase() + word.slice(1)
  return kind === 'things' ? `${word}s` : word
}
