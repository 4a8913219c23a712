import type { Family } from './family.ts'
import { discount, offers, purchase, savings } from './families/money.ts'
import { average, fractions, mixture, sharing } from './families/amounts.ts'
import { ages, conversion, garden, schedule } from './families/life.ts'
import { drive, factory, hike, tank, theatre } from './families/rates.ts'
import { Random } from './random.ts'
import { drawNames, type Split, splitOfNumbers } from './splits.ts'
import { type Manner, sayAnswer, sayStep } from './wordings.ts'
import { type StepContent, Work } from './work.ts'

/** All families of problems. A problem's family is drawn uniformly. */
export const FAMILIES: readonly Family[] = [
  purchase,
  discount,
  savings,
  offers,
  fractions,
  sharing,
  mixture,
  average,
  ages,
  schedule,
  conversion,
  garden,
  hike,
  drive,
  tank,
  factory,
  theatre,
]

/** A solution in words. */
export interface Solution {
  /** The reasoning, one string a step, each ending with a blank line. */
  steps: string[]
  /** The sentence after the reasoning, with the answer in `\boxed{}`. */
  answer: string
}

export interface Problem {
  /** For example `test/17`. */
  id: string
  family: string
  question: string
  /** What stands in `\boxed{}`: a whole number or a time of day such as `11:25`. */
  answer: string
  /** Every number of the question, in order. */
  numbers: number[]
  /** The reasoning as content, without words. */
  contents: StepContent[]
  /**
   * The reasoning in words; another seed gives other words and sometimes other checks.
   * @param manner how steps are said; default: in any of the first style's wordings
   */
  solve: (seed: number, manner?: Manner) => Solution
}

// A check is written in most but not all solutions: whether to write one is the solver's choice, not the problem's.
const CHECK_PROBABILITY = 0.9

/** The problem with number `index` of a split: always the same one. */
export function generateProblem(index: number, split: Split): Problem {
  const random = new Random(`${split}/${index}`)
  const family = random.pick(FAMILIES)
  for (;;) {
    const work = new Work()
    const sketch = family.draw(random, work, drawNames(random, split, 3))
    if (!work.sound || splitOfNumbers(family.name, sketch.numbers) !== split) continue
    const id = `${split}/${index}`
    const last = work.steps.findLast((step) => step.kind !== 'check')!
    const answer = sketch.answer ?? String(last.result)
    const say: Omit<StepContent, 'kind' | 'label'> = { values: [], result: 0, unit: sketch.unit }
    const contents: StepContent[] = [
      { ...say, kind: 'facts', label: sketch.facts.join(', ') },
      { ...say, kind: 'goal', label: sketch.goal },
      ...work.steps,
      { ...say, kind: 'conclusion', label: sketch.goal, result: last.result, answer: sketch.answer },
    ]
    const question = random.pick(sketch.questions)
    return solvable({ id, family: family.name, question, answer, numbers: sketch.numbers, contents })
  }
}

/** The problem with solutions made from its contents. */
export function solvable<P extends Omit<Problem, 'solve'>>(problem: P): P & Pick<Problem, 'solve'> {
  const { id, contents, answer } = problem
  const solve = (seed: number, manner: Manner = {}): Solution => {
    const choice = new Random(`${id}/${seed}`)
    const said = contents.filter((step) => step.kind !== 'check' || choice.chance(CHECK_PROBABILITY))
    return { steps: said.map((step) => sayStep(step, choice, manner)), answer: sayAnswer(answer, choice) }
  }
  return { ...problem, solve }
}

/** The first `limit` test problems. */
export function testProblems(limit: number): Problem[] {
  return Array.from({ length: limit }, (_, index) => generateProblem(index, 'test'))
}

/** What stands in the last `\boxed{…}` of a text, without spaces; `undefined` where there is none. */
export function extractAnswer(text: string): string | undefined {
  return [...text.matchAll(/\\boxed\{([^{}]*)\}/g)].at(-1)?.[1]?.replace(/\s/g, '')
}

/** Whether a text answers a problem. */
export function isCorrect(problem: { answer: string }, text: string): boolean {
  return extractAnswer(text) === problem.answer.replaceAll(' ', '')
}
