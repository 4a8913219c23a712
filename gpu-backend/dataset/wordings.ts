import { addition, division, multiplication, subtraction } from './arithmetic.ts'
import { FAR_WORDINGS } from './far-wordings.ts'
import type { Random } from './random.ts'
import type { Words, Wordings } from './wording.ts'
import type { StepContent } from './work.ts'

const WORDINGS: Wordings = {
  question: [(w) => w.the],
  facts: [
    (w) => `We know this: ${w.the}.`,
    (w) => `Let me write down the facts: ${w.the}.`,
    (w) => `The problem says: ${w.the}.`,
    (w) => `Given: ${w.the}.`,
    (w) => `Okay, so here is what we have: ${w.the}.`,
  ],
  goal: [
    (w) => `We need to find ${w.the}.`,
    (w) => `The question asks for ${w.the}.`,
    (w) => `So what I want is ${w.the}.`,
    (w) => `My goal is to work out ${w.the}.`,
    (w) => `In the end we are looking for ${w.the}.`,
  ],
  sum: [
    (w) => `Now add ${w.a} and ${w.b} to get ${w.the}:\n${w.calc}\nThat makes ${w.r}.`,
    (w) => `${w.The} is ${w.a}+${w.b}:\n${w.calc}\nSo ${w.r}.`,
    (w) => `For ${w.the} we take the sum ${w.a}+${w.b}:\n${w.calc}\nThis is ${w.r}.`,
    (w) => `Next comes ${w.the}: ${w.a} plus ${w.b}.\n${w.calc}\nWe get ${w.r}.`,
    (w) => `Together, ${w.a}+${w.b}:\n${w.calc}\nSo ${w.the} is ${w.r}.`,
  ],
  difference: [
    (w) => `Now take ${w.b} away from ${w.a} to get ${w.the}:\n${w.calc}\nThat leaves ${w.r}.`,
    (w) => `${w.The} is ${w.a}-${w.b}:\n${w.calc}\nSo ${w.r}.`,
    (w) => `For ${w.the} we subtract, ${w.a}-${w.b}:\n${w.calc}\nThis is ${w.r}.`,
    (w) => `Next comes ${w.the}: ${w.a} minus ${w.b}.\n${w.calc}\nWe get ${w.r}.`,
    (w) => `Subtracting, ${w.a}-${w.b}:\n${w.calc}\nSo ${w.the} is ${w.r}.`,
  ],
  product: [
    (w) => `Now multiply ${w.a} by ${w.b} to get ${w.the}:\n${w.calc}\nThat makes ${w.r}.`,
    (w) => `${w.The} is ${w.a}×${w.b}:\n${w.calc}\nSo ${w.r}.`,
    (w) => `For ${w.the} we need the product ${w.a}×${w.b}:\n${w.calc}\nThis is ${w.r}.`,
    (w) => `Next comes ${w.the}: ${w.a} times ${w.b}.\n${w.calc}\nWe get ${w.r}.`,
    (w) => `Multiplying, ${w.a}×${w.b}:\n${w.calc}\nSo ${w.the} is ${w.r}.`,
  ],
  quotient: [
    (w) => `Now divide ${w.a} by ${w.b} to get ${w.the}:\n${w.calc}\nThat makes ${w.r}.`,
    (w) => `${w.The} is ${w.a}/${w.b}:\n${w.calc}\nSo ${w.r}.`,
    (w) => `For ${w.the} we split ${w.a} into ${w.b} equal parts:\n${w.calc}\nThis is ${w.r}.`,
    (w) => `Next comes ${w.the}: ${w.a} divided by ${w.b}.\n${w.calc}\nWe get ${w.r}.`,
    (w) => `Dividing, ${w.a}/${w.b}:\n${w.calc}\nSo ${w.the} is ${w.r}.`,
  ],
  hours: [
    (w) => `One hour has 60 minutes.\n${w.calc}\nSo ${w.the} is ${w.b} hours and ${w.r}.`,
    (w) => `${w.The} in hours:\n${w.calc}\nThat makes ${w.b} hours and ${w.r}.`,
    (w) => `Now turn ${w.the} into hours.\n${w.calc}\nWe have ${w.b} hours and ${w.r}.`,
    (w) => `Written in hours:\n${w.calc}\nSo we can write ${w.the} as ${w.b} hours and ${w.r}.`,
  ],
  check: [
    (w) => `Let me verify ${w.the}: ${w.calc}. Correct.`,
    (w) => `Check: ${w.calc}, so ${w.the} is right.`,
    (w) => `To be sure about ${w.the}, I test it: ${w.calc}. Good.`,
    (w) => `Wait, is that right? ${w.calc}. Yes, ${w.the} is fine.`,
    (w) => `A quick check of ${w.the} gives ${w.calc}, as it should.`,
  ],
  conclusion: [
    (w) => `So ${w.the} is ${w.r}.`,
    (w) => `This means that ${w.the} is ${w.r}.`,
    (w) => `We are done: ${w.the} is ${w.r}.`,
    (w) => `Therefore the answer is ${w.r}, ${w.the}.`,
    (w) => `That was the last step, so ${w.the} must be ${w.r}.`,
  ],
  summary: [
    (w) => `All parts are done: ${w.the}.`,
    (w) => `Now I have all answers: ${w.the}.`,
    (w) => `To sum up, ${w.the}.`,
    (w) => `Let me put them together: ${w.the}.`,
  ],
}

/** What a step of a problem of several parts begins with where it opens part `n`, and ends with where it closes it. */
const OPENINGS: readonly ((n: number) => string)[] = [
  (n) => `Part ${n}. `,
  (n) => `Now part ${n}. `,
  (n) => `On to part ${n}. `,
  (n) => `Next is part ${n}. `,
]
const CLOSINGS: readonly ((n: number, answer: string) => string)[] = [
  (n, answer) => ` So part ${n} is ${answer}.`,
  (n, answer) => ` That means part ${n} is ${answer}.`,
  (n, answer) => ` I note that part ${n} is ${answer}.`,
]

const ANSWERS: readonly ((answer: string) => string)[] = [
  (n) => `The answer is \\boxed{${n}}.`,
  (n) => `So the final answer is \\boxed{${n}}.`,
  (n) => `Answer: \\boxed{${n}}.`,
  (n) => `The result is \\boxed{${n}}.`,
]

/** A number with its unit: `$84`, `84 km`, `84`. */
export function quantity(n: number, unit: string): string {
  return unit === '$' ? `$${n}` : unit === '' ? String(n) : `${n} ${unit}`
}

function calculation({ kind, values, result, sign }: StepContent): string {
  const [a = 0, b = 0] = values
  if (kind === 'sum') return addition(a, b)
  if (kind === 'difference') return subtraction(a, b)
  if (kind === 'product') return multiplication(a, b)
  if (kind === 'quotient') return division(a, b)
  if (kind === 'hours') return `${b}×60=${b * 60}\n${a}-${b * 60}=${result}`
  return kind === 'check' ? `${a}${sign}${b}=${result}` : ''
}

/** How a step is said. */
export interface Manner {
  /** The probability of the second style (`far-wordings.ts`), in which facts also stand in the other order. Default 0. */
  far?: number | undefined
  /** Always the same wording and the same name for the subject, as a draft of few words has. Default: no. */
  narrow?: boolean | undefined
  /** Announces the operands in the wrong order, for judge pairs. Default: no. */
  swapped?: boolean | undefined
}

/** The step in words, ending with the blank line that delimits steps. Style, wording and label are drawn independently. */
export function sayStep(
  step: StepContent,
  random: Random,
  { far = 0, narrow = false, swapped = false }: Manner = {},
): string {
  const isFar = far > 0 && random.chance(far)
  const said = isFar ? inFarOrder(step) : step
  const pick = <T>(all: readonly T[]): T => (narrow ? all.at(-1)! : random.pick(all))
  const words = wordsOf(said, pick(labelsOf(said)), swapped)
  const text = pick((isFar ? FAR_WORDINGS : WORDINGS)[step.kind])(words)
  const opening = step.opens === undefined ? '' : random.pick(OPENINGS)(step.opens)
  const closing = step.closes === undefined ? '' : random.pick(CLOSINGS)(step.closes.part, step.closes.answer)
  return `${opening}${text}${closing}\n\n`
}

/** The step in all words that `sayStep` has for it, in both styles. */
export function sayStepInAllWords(step: StepContent): string[] {
  const inStyle = (said: StepContent, wordings: Wordings): string[] =>
    labelsOf(said).flatMap((label) => wordings[said.kind].map((say) => say(wordsOf(said, label))))
  const { opens, closes } = step
  const openings = opens === undefined ? [''] : OPENINGS.map((say) => say(opens))
  const closings = closes === undefined ? [''] : CLOSINGS.map((say) => say(closes.part, closes.answer))
  return [...inStyle(step, WORDINGS), ...inStyle(inFarOrder(step), FAR_WORDINGS)].flatMap((text) =>
    openings.flatMap((opening) => closings.map((closing) => `${opening}${text}${closing}\n\n`)),
  )
}

/** Facts in the second style's order: the last first. */
function inFarOrder(step: StepContent): StepContent {
  if (step.kind !== 'facts') return step
  // The comma of `scores 21, 35 and 40` separates no facts.
  const facts = step.label.split(/, (?!\d+ and )/)
  return { ...step, label: facts.toReversed().join(', ') }
}

/** What steps and answers are framed in, whatever they are about. */
export const framings = (): string[] => [
  ...[...Object.values(WORDINGS), ...Object.values(FAR_WORDINGS)].flatMap((wordings) =>
    wordings.map((say) => say({ the: '', The: '', a: 0, b: 0, calc: '', r: '', sign: '' })),
  ),
  ...[...OPENINGS, ...CLOSINGS].map((say) => say(0, '')),
  ...sayAnswerInAllWords(''),
]

const labelsOf = ({ label }: StepContent): string[] => label.split('|')

function wordsOf(step: StepContent, the: string, swapped = false): Words {
  // A result that is wrong on purpose must also be the outcome of the last calculation.
  const calc = calculation(step).replace(/=\d+$/, `=${step.result}`)
  const [a = 0, b = 0] = step.values
  const r = step.answer ?? quantity(step.result, step.unit)
  const [first, second] = swapped ? [b, a] : [a, b]
  return { the, The: the[0]!.toUpperCase() + the.slice(1), a: first, b: second, calc, r, sign: step.sign ?? '' }
}

/** The sentence after the reasoning, with the answer in `\boxed{}`. */
export function sayAnswer(answer: string, random: Random): string {
  return random.pick(ANSWERS)(answer)
}

/** That sentence in all words that `sayAnswer` has for it. */
export const sayAnswerInAllWords = (answer: string): string[] => ANSWERS.map((say) => say(answer))
