/** Ways to say a step so that it means the same, or something else though it looks much the same. */
import type { Problem } from './problem.ts'
import type { Random } from './random.ts'
import { sayStep } from './wordings.ts'
import type { StepContent } from './work.ts'

/** The two texts of a pair. */
export interface Said {
  target: string
  draft: string
  /** What the draft says, where that is not what the target says. */
  changed?: StepContent
}

/** The words that may stand in each other's place. */
export interface Vocabulary {
  /** All of a word's kind, itself too; none for a word of no kind. */
  like: (word: string) => readonly string[]
  isName: (word: string) => boolean
  units: readonly string[]
}

/** `undefined` where the way does not apply to the step, in the words that were drawn. */
export type Alteration = (
  step: StepContent,
  problem: Problem,
  random: Random,
  vocabulary: Vocabulary,
) => Said | undefined

const calculations = ['sum', 'difference', 'product', 'quotient'] as const
type Calculation = (typeof calculations)[number]
const isCalculation = (kind: StepContent['kind']): kind is Calculation => calculations.some((known) => known === kind)

/** The target says the step, and the draft another content. */
const told = (step: StepContent, changed: StepContent, random: Random): Said => ({
  target: sayStep(step, random),
  draft: sayStep(changed, random),
  changed,
})

/** The target says the step, and the draft says it in words of its own that are changed then. */
function reworded(step: StepContent, random: Random, change: (text: string) => string): Said | undefined {
  const draft = sayStep(step, random)
  const changed = change(draft)
  return changed === draft ? undefined : { target: sayStep(step, random), draft: changed }
}

/** The same, but only by those of its names in which something is found, so that target and draft both have it. */
function named(step: StepContent, finds: (label: string) => boolean): StepContent | undefined {
  const labels = step.label.split('|').filter(finds)
  return labels.length > 0 ? { ...step, label: labels.join('|') } : undefined
}

/** Facts that stand for themselves: none goes on from the one before it, and none is a list. */
const freeClauses = ({ kind, label }: StepContent): string[] | undefined => {
  const goesOn = /\b(rest|then|others?|remain\w*|first|second|last|later|before|after|than|times as|and)\b/
  return kind === 'facts' && !goesOn.test(label) ? label.split(', ') : undefined
}

export const sameMeaning: Record<string, Alteration> = {
  paraphrase: (step, _problem, random) => told(step, step, random),
  'facts in another order': (step, _problem, random) => {
    const clauses = freeClauses(step) ?? []
    const label = random.several(clauses, clauses.length).join(', ')
    return label === '' || label === step.label ? undefined : told(step, { ...step, label }, random)
  },
  'operands exchanged that may be': (step, _problem, random) =>
    step.kind === 'sum' || step.kind === 'product' ? swapped(step, random) : undefined,
}

/** Of other meaning, those that may have other numbers. */
export const otherNumbers: ReadonlySet<string> = new Set(['a digit', 'another step'])

export const otherMeaning: Record<string, Alteration> = {
  'a digit': (step, _problem, random) =>
    reworded(step, random, (text) => {
      const places = [...text.matchAll(/\d/g)].map(({ index }) => index)
      if (places.length === 0) return text
      const at = random.pick(places)
      return text.slice(0, at) + String((Number(text[at]) + random.int(1, 9)) % 10) + text.slice(at + 1)
    }),

  'another step': (step, problem, random) => {
    const rest = problem.contents.filter(({ label, kind }) => label !== step.label || kind !== step.kind)
    return told(step, random.pick(rest), random)
  },

  result: (step, _problem, random) =>
    isCalculation(step.kind)
      ? reworded(step, random, (text) => {
          const lines = text.trimEnd().split('\n')
          const last = lines.pop()!
          const others = lines
            .join('\n')
            .match(/\d+/g)!
            .filter((number) => number !== String(step.result))
          const said = new RegExp(`\\b${step.result}(?=\\D*$)`)
          return `${[...lines, last.replace(said, random.pick(others))].join('\n')}\n\n`
        })
      : undefined,

  'numbers exchanged': (step, _problem, random) => {
    // Which of some scores is the first makes no difference.
    if (step.kind !== 'facts' || step.label.includes('scores')) return undefined
    return reworded(step, random, (text) => {
      const numbers = [...new Set(text.match(/\d+/g))]
      if (numbers.length < 2) return text
      const [one, two] = random.several(numbers, 2)
      return text.replace(/\d+/g, (number) => (number === one ? two! : number === two ? one! : number))
    })
  },

  entity: (step, problem, random, { like, isName }) =>
    entity(step, problem, random, { like, isKind: (word) => !isName(word) }),
  person: (step, problem, random, { like, isName }) => entity(step, problem, random, { like, isKind: isName }),

  'entity from nowhere': (step, problem, random, { like }) => {
    const known = new Set(wordsOf(problem.question))
    const words = wordsOf(step.label).filter((word) => like(word).length > 0)
    if (words.length === 0) return undefined
    const word = random.pick(words)
    return renamed(step, random, new Map([[word, random.pick(like(word).filter((other) => !known.has(other)))]]))
  },

  subject: (step, problem, random) => {
    const own = step.label.split('|')
    const rest = problem.contents.filter(
      ({ kind, label }) => kind !== 'facts' && !label.split('|').some((name) => own.includes(name)),
    )
    if (step.kind === 'facts' || rest.length === 0) return undefined
    return told(step, { ...step, label: random.pick(rest).label }, random)
  },

  operands: (step, _problem, random) =>
    step.kind === 'difference' || step.kind === 'quotient' ? swapped(step, random) : undefined,

  operation: (step, _problem, random) => {
    const { kind } = step
    if (!isCalculation(kind)) return undefined
    const announced = random.pick(calculations.filter((name) => name !== kind))
    const own = sayStep(step, random).trimEnd().split('\n')
    const [first, ...rest] = sayStep({ ...step, kind: announced }, random)
      .trimEnd()
      .split('\n')
    // Announced is another operation; what is written out stays what it was.
    return { target: sayStep(step, random), draft: `${[first, ...own.slice(1, -1), rest.at(-1)].join('\n')}\n\n` }
  },

  sign: (step, _problem, random) =>
    reworded(step, random, (text) => text.replace(/(?<=\d)[+-](?=\d)/g, (sign) => (sign === '+' ? '-' : '+'))),

  direction: (step, _problem, random) => {
    const found = named(step, (label) => wordsOf(label).some((word) => DIRECTIONS.has(word)))
    if (!found) return undefined
    const labels = found.label.split('|').map((label) => turned(label, random))
    return told(found, { ...found, label: labels.join('|') }, random)
  },

  unit: (step, _problem, random, { units }) =>
    units.includes(step.unit) && isCalculation(step.kind)
      ? told(step, { ...step, unit: random.pick(units.filter((unit) => unit !== step.unit)) }, random)
      : undefined,

  negation: (step, _problem, random) =>
    reworded(step, random, (text) => {
      const said = NEGATIONS.find(([yes]) => yes.test(text))
      return said ? text.replace(...said) : text
    }),
}

/** The draft announces the operands in the other order. */
function swapped(step: StepContent, random: Random): Said | undefined {
  const draft = sayStep(step, random, { swapped: true })
  return step.values[0] === step.values[1] ? undefined : { target: sayStep(step, random), draft }
}

/** The draft is about another person or thing of the question; where the step has both, they change places. */
function entity(
  step: StepContent,
  problem: Problem,
  random: Random,
  { like, isKind }: Pick<Vocabulary, 'like'> & { isKind: (word: string) => boolean },
): Said | undefined {
  const own = wordsOf(step.label)
  const inQuestion = new Set(wordsOf(problem.question))
  const pairs = own
    .filter(isKind)
    .flatMap((word) =>
      like(word)
        .filter((other) => other !== word && inQuestion.has(other))
        .map((other) => [word, other] as const),
    )
    // Of two that are named together it makes no difference which is the first.
    .filter(([, other]) => step.kind === 'facts' || !own.includes(other))
  if (pairs.length === 0) return undefined
  const [word, other] = random.pick(pairs)
  return renamed(step, random, new Map([[word, other], ...(own.includes(other) ? [[other, word] as const] : [])]))
}

function renamed(step: StepContent, random: Random, words: ReadonlyMap<string, string>): Said | undefined {
  const found = named(step, (label) => wordsOf(label).some((word) => words.has(word)))
  if (!found) return undefined
  const say = (text: string): string => text.replace(WORD, (word) => words.get(word) ?? word)
  return told(found, { ...found, label: say(found.label), unit: say(found.unit) }, random)
}

const WORD = /[A-Za-z]+/g
const wordsOf = (text: string): string[] => text.match(WORD) ?? []

const opposites =
  'before after, more less, longer shorter, younger older, above below, with without, later earlier, first second, extra missing'
const DIRECTIONS: ReadonlyMap<string, string> = new Map(
  opposites.split(', ').flatMap((pair) => {
    const [one, two] = pair.split(' ') as [string, string]
    return [
      [one, two],
      [two, one],
    ] as const
  }),
)

/** One of its words turned into its opposite. */
function turned(label: string, random: Random): string {
  const word = random.pick(wordsOf(label).filter((found) => DIRECTIONS.has(found)))
  return label.replace(new RegExp(`\\b${word}\\b`), DIRECTIONS.get(word)!)
}

/** What is said to be so, and that it is not: the first that is found. */
const NEGATIONS: readonly (readonly [RegExp, string])[] = [
  [/Correct\./, 'Not correct.'],
  [/Good\./, 'Not good.'],
  [/\bYes, (.*) is fine/, 'No, $1 is not fine'],
  [/ is right\./, ' is not right.'],
  [/as it should\./, 'as it should not.'],
  [/\bWe need to find/, 'We need not find'],
  [/\bThat makes/, 'That does not make'],
  [/\bThat leaves/, 'That does not leave'],
  [/\b[Ww]e get/, 'We do not get'],
  [/\b(must be|are looking|is asked|asks|This is|This means|the answer is) /, '$1 not '],
  [/\bWe are done: (.*) is /, 'We are done: $1 is not '],
  [/ are (?!looking)/, ' are not '],
  [/ is (?!what we have)/, ' is not '],
]
