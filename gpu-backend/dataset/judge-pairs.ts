import { generateProblem, type Problem } from './problem.ts'
import { Random } from './random.ts'
import type { Split } from './splits.ts'
import { sayStep } from './wordings.ts'
import type { StepContent } from './work.ts'

/** Two steps and whether they say the same. The label comes from their contents, never from the right answer. */
export interface JudgePair {
  target: string
  draft: string
  label: 'aligned' | 'unaligned'
  /** How the pair was made, for a table of errors. */
  why: string
  /** Words, in small letters, that show alone that the two are unaligned; undefined: not known. */
  strange?: string[]
}

const nudge = (n: number, random: Random): number => {
  const unit = random.pick([1, 1, 1, 10, 10, 100].filter((u) => u === 1 || u <= n))
  return n + unit * random.pick([-2, -1, 1, 1, 2]) || n + 1
}

/** One number of a text changed by one digit, as a small model's slip would. */
function slip(text: string, random: Random): string {
  const places = [...text.matchAll(/\d/g)].map((m) => m.index)
  if (places.length === 0) return text
  const at = random.pick(places)
  return text.slice(0, at) + String((Number(text[at]) + random.int(1, 9)) % 10) + text.slice(at + 1)
}

const recompute = ({ kind, sign }: StepContent, a: number, b: number): number =>
  kind === 'sum' || sign === '+'
    ? a + b
    : kind === 'difference'
      ? a - b
      : kind === 'quotient'
        ? Math.floor(a / b)
        : a * b

/** Ways to make another content out of one; `undefined` where the way does not apply. */
const CHANGES: Record<string, (step: StepContent, problem: Problem, random: Random) => StepContent | undefined> = {
  number(step, _problem, random) {
    if (step.values.length < 2 || step.kind === 'hours') return undefined
    const values = [...step.values]
    const i = random.int(0, 1)
    values[i] = nudge(values[i]!, random)
    const [a, b] = values as [number, number]
    if (a < 1 || b < 1 || (step.kind === 'difference' && a < b) || (step.kind === 'product' && a > 9)) return undefined
    // A quotient that is not whole cannot be written out; keep the divisor and change the quotient instead.
    if (step.kind !== 'quotient') return { ...step, values, result: recompute(step, a, b) }
    const result = nudge(step.result, random)
    return result < 1 ? undefined : { ...step, values: [result * step.values[1]!, step.values[1]!], result }
  },
  result(step, _problem, random) {
    return step.kind === 'facts' || step.kind === 'goal' || step.answer
      ? undefined
      : { ...step, result: Math.abs(nudge(step.result, random)) }
  },
  subject(step, problem, random) {
    const other = random.pick(problem.contents.filter((s) => s.kind !== 'facts'))
    const shared = other.label.split('|').some((l) => step.label.split('|').includes(l))
    return shared || step.kind === 'facts' ? undefined : { ...step, label: other.label }
  },
  operation(step) {
    const [a, b] = step.values
    if (a === undefined || b === undefined || a <= b) return undefined
    if (step.kind === 'sum') return { ...step, kind: 'difference', result: a - b }
    if (step.kind === 'difference') return { ...step, kind: 'sum', result: a + b }
    return step.kind === 'quotient' && b < 10 ? { ...step, kind: 'product', values: [b, a], result: a * b } : undefined
  },
  facts(step, problem, random) {
    if (step.kind !== 'facts') return undefined
    const clauses = step.label.split(', ')
    const i = random.int(0, clauses.length - 1)
    const way = random.int(0, 2)
    if (way === 0) clauses.splice(i, 1)
    else if (way === 1) clauses[i] = slip(clauses[i]!, random)
    else clauses[i] = clauses[i]!.replace(/\d+/, String(random.pick(problem.numbers)))
    const label = clauses.join(', ')
    return label === step.label ? undefined : { ...step, label }
  },
  elsewhere(step, problem, random) {
    const at = problem.contents.indexOf(step)
    const other = problem.contents[at + random.pick([-2, -1, 1, 1, 2])]
    return other
  },
}

function pair(problem: Problem, step: StepContent, random: Random): JudgePair {
  const say = (content: StepContent): string => sayStep(content, random)
  if (random.chance(0.54)) {
    // A mistake that both make in the same way is still the same content.
    const content = (random.chance(0.15) && CHANGES.result!(step, problem, random)) || step
    const target = say(content)
    let draft = say(content)
    // Identical texts need no judge, so only a few are kept.
    for (let tries = 0; draft === target && tries < 4; tries++) draft = say(content)
    return { target, draft, label: 'aligned', why: content === step ? 'same' : 'same mistake' }
  }
  for (;;) {
    const why = random.pick([
      'number',
      'number',
      'result',
      'result',
      'subject',
      'operation',
      'swapped',
      'facts',
      'facts',
      'elsewhere',
      'more',
      'slip',
      'slip',
      'stranger',
    ])
    let [target, draft] = [say(step), say(step)]
    if (why === 'more') {
      const next = problem.contents[problem.contents.indexOf(step) + 1]
      if (!next) continue
      draft = `${draft.trim()} ${say(next)}`
    } else if (why === 'slip') {
      const slipped = slip(draft, random)
      if (slipped === draft) continue
      draft = slipped
    } else if (why === 'swapped') {
      if (step.kind !== 'difference' && step.kind !== 'quotient') continue
      draft = sayStep(step, random, { swapped: true })
    } else if (why === 'stranger') {
      draft = say(random.pick(generateProblem(random.int(0, 1_000_000), problem.id.split('/')[0] as Split).contents))
      if (step.kind === 'goal' || step.kind === 'hours') continue
    } else {
      const changed = CHANGES[why]!(step, problem, random)
      if (!changed) continue
      draft = say(changed)
    }
    if (random.chance(0.5)) [target, draft] = [draft, target]
    if (target !== draft) return { target, draft, label: 'unaligned', why }
  }
}

/** Three pairs made from the problem with number `index` of a split; about half are aligned. */
export function judgePairs(index: number, split: Split): JudgePair[] {
  const problem = generateProblem(index, split)
  const random = new Random(`pairs/${split}/${index}`)
  return random.several(problem.contents, 3).map((step) => pair(problem, step, random))
}
