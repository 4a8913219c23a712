/**
 * Problems of several parts: one prompt, several questions, one chain of thought, and a boxed list of answers. Most parts
 * are problems of the families, with facts of their own; others build on the answers of earlier parts.
 */
import { extractAnswer, generateProblem, type Problem, solvable } from './problem.ts'
import { Random } from './random.ts'
import type { Split } from './splits.ts'
import { sayStep } from './wordings.ts'
import { type StepContent, Work } from './work.ts'

export interface LongProblem extends Problem {
  /** The answer of each part; `answer` lists them, separated by `, `. */
  answers: string[]
}

export interface LongOptions {
  /** How many parts a problem has: fewest and most. Default 4 to 8, which take thoughts of 1,200 to 3,000 tokens. */
  parts?: readonly [number, number] | undefined
  /** Exchanges a part's words for others before the problem is put together. Default: leaves it as it is. */
  reword?: ((part: Problem, random: Random) => Problem) | undefined
}

/** Of the parts that could build on earlier answers, so many do. */
const BUILDING_SHARE = 0.25

type Part = Pick<Problem, 'family' | 'question' | 'answer' | 'numbers' | 'contents'>

/** The problem of several parts with number `index` of a split: always the same one. */
export function generateLongProblem(index: number, split: Split, options: LongOptions = {}): LongProblem {
  const { parts: [fewest, most] = [4, 8], reword = (part) => part } = options
  const random = new Random(`long/${split}/${index}`)
  const parts: Part[] = []
  for (const count = random.int(fewest, most); parts.length < count;) {
    const building = random.chance(BUILDING_SHARE) ? buildOn(parts, random) : undefined
    parts.push(building ?? reword(generateProblem(random.int(0, 2 ** 31 - 1), split), random))
  }
  const answers = parts.map(({ answer }) => answer)
  const asked = parts.map(({ question }, i) => `Part ${i + 1}. ${question}`)
  const opening = random.pick(['Solve all parts.', 'Answer each part.', `Here are ${parts.length} questions.`])
  return solvable({
    id: `long/${split}/${index}`,
    family: 'long',
    question: [opening, ...asked].join('\n'),
    answer: answers.join(', '),
    answers,
    numbers: parts.flatMap(({ numbers }) => numbers),
    contents: [...parts.flatMap((part, i) => numbered(part, i + 1)), summary(answers)],
  })
}

/** The first `limit` test problems of several parts. */
export function longTestProblems(limit: number): LongProblem[] {
  return Array.from({ length: limit }, (_, index) => generateLongProblem(index, 'test'))
}

/** Which parts a text answers rightly, in its last boxed list; none where there is no list. */
export function rightParts(problem: Pick<LongProblem, 'answers'>, text: string): boolean[] {
  const given = extractAnswer(text)?.split(',') ?? []
  return problem.answers.map((answer, i) => given[i] === answer)
}

/** What training does with a step: learns it, reads it only, or leaves it out and counts its tokens. */
export type Role = 'learned' | 'given' | 'skipped'

/**
 * A solution without the work inside the parts: questions, facts and goals are learned, conclusions given. What a long thought needs
 * beside the work (which part is next, what the question says of it, what came out of others) is a tenth of a solution's
 * tokens and all of an outline's.
 * @param options.far as for `sayStep`
 * @param options.bare whether all but the questions is skipped: practice in copying
 */
export function outlineOf(
  { id, contents }: LongProblem,
  { far = 0, bare = false } = {},
): { steps: string[]; roles: Role[] } {
  const random = new Random(`outline/${id}`)
  const roles: { [kind in StepContent['kind']]?: Role } = {
    question: 'learned',
    ...(bare ? {} : { facts: 'learned', goal: 'learned', conclusion: 'given', summary: 'learned' }),
  }
  return {
    steps: contents.map((step) => sayStep(step, random, { far })),
    roles: contents.map(({ kind }) => roles[kind] ?? 'skipped'),
  }
}

/** A part's contents between the question, said again so that a model finds all it needs nearby, and the part's answer. */
const numbered = ({ question, answer, contents }: Part, part: number): StepContent[] => [
  { kind: 'question', label: question, values: [], result: 0, unit: '', opens: part },
  ...contents.map((step) => (step.kind === 'conclusion' ? { ...step, closes: { part, answer } } : step)),
]

const summary = (answers: readonly string[]): StepContent => ({
  kind: 'summary',
  label: answers.map((answer, i) => `part ${i + 1} is ${answer}`).join(', '),
  values: [],
  result: 0,
  unit: '',
})

/** A part about the answers of two earlier ones; `undefined` where there are no two, or nothing whole comes of them. */
function buildOn(parts: readonly Part[], random: Random): Part | undefined {
  const known = parts.flatMap(({ answer }, i) => (/^\d+$/.test(answer) ? [{ part: i + 1, value: Number(answer) }] : []))
  if (known.length < 2) return undefined
  const [one, two] = random.several(known, 2) as [(typeof known)[0], (typeof known)[0]]
  const work = new Work()
  const { questions, goal } = random.pick([sum, gap, multiple])(one, two, random, work)
  if (!work.sound) return undefined
  const result = work.steps.findLast((step) => step.kind !== 'check')!.result
  const say = { values: [], result: 0, unit: '' }
  const facts = [one, two].map(({ part, value }) => `part ${part} is ${value}`).join(', ')
  return {
    family: 'building',
    question: random.pick(questions),
    answer: String(result),
    numbers: [],
    contents: [
      { ...say, kind: 'facts', label: facts },
      { ...say, kind: 'goal', label: goal },
      ...work.steps,
      { ...say, kind: 'conclusion', label: goal, result },
    ],
  }
}

interface Known {
  part: number
  value: number
}

type Building = (one: Known, two: Known, random: Random, work: Work) => { questions: string[]; goal: string }

const sum: Building = (one, two, _random, work) => {
  const goal = 'the sum of both answers|both answers together'
  work.sum(goal, one.value, two.value, '')
  const questions = [
    `Add the answers of part ${one.part} and part ${two.part}. What do you get?`,
    `What is the sum of the answers of part ${one.part} and part ${two.part}?`,
  ]
  return { questions, goal }
}

const gap: Building = (one, two, _random, work) => {
  const goal = 'the gap between both answers|the difference of the answers'
  work.difference(goal, one.value, two.value, '')
  const questions = [
    `By how much is the answer of part ${one.part} larger than that of part ${two.part}?`,
    `Take the answer of part ${two.part} away from that of part ${one.part}. What is left?`,
  ]
  return { questions, goal }
}

const multiple: Building = (one, two, random, work) => {
  const times = random.int(2, 9)
  const goal = 'the final number|what comes out in the end'
  const product = work.product(`the answer of part ${one.part} taken ${times} times`, times, one.value, '')
  work.sum(goal, product, two.value, '')
  const questions = [
    `Multiply the answer of part ${one.part} by ${times} and add the answer of part ${two.part}. What do you get?`,
    `What is ${times} times the answer of part ${one.part}, together with the answer of part ${two.part}?`,
  ]
  return { questions, goal }
}
