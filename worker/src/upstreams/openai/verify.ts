/** One cycle's verification, in its three kinds: the target alone, its own version of each step, or its opinion of each token. */
import { channelsThrough, longestStep, rulesIn } from '@lookahead/sdk/protocol'
import type { Sampling, StepRules } from '@lookahead/sdk/protocol'
import type { Delta, Verdict } from '../../lookahead/upstream.ts'
import type { Ruling, StepContext, Verifier } from '../../lookahead/verifiers/index.ts'
import { passageOf, writeBranches } from './branches.ts'
import { StepCutter } from './cutter.ts'
import type { Step } from './cutter.ts'
import { joined, promptOf } from './passage.ts'
import type { Passage } from './passage.ts'
import { tokenize } from './probe.ts'
import type { Capabilities } from './probe.ts'
import type { Prompt } from './prompt.ts'
import { pairOf, rulingsOf } from './ruling.ts'
import { distributions, noScores } from './scores.ts'
import type { Server } from './server.ts'
import type { Turn } from './turn.ts'

/** Where a text is to be gone on with. */
export interface Place {
  target: Server
  can: Capabilities
  prompt: Prompt
  /** Committed after it. */
  output: Passage
  rules: StepRules
  sampling: Sampling
  /** What was asked, for a judge. */
  question: string
}

/** Steps by their names. */
type Drafted = readonly (readonly [id: string, step: Step])[]

type Told<Event = Delta> = AsyncGenerator<Event, void, undefined>

/** Plain decoding: the target writes on, so many steps or to the end of the text. */
export async function* writeAlone(place: Place, turn: Turn): Told {
  if (turn.decode === 1) yield* writeStep(place, turn)
  else yield* writeOn(place, turn)
}

/** One step, which the server ends where it can: what comes in pieces of several tokens could not be cut between them. */
async function* writeStep(place: Place, turn: Turn): Told {
  const { target, can, prompt, output, rules, sampling } = place
  const after = [{ text: joined(prompt, output, turn.passage), channels: channelsAt(place, turn.passage.text) }]
  const maxTokens = Math.min(longestStep(rules), turn.room)
  const { isRendered } = prompt
  const seedOffset = output.tokens + turn.passage.tokens
  const branches = { after, rules, maxTokens, sampling, seedOffset, isRendered }
  const [step] = await writeBranches(target, can, branches, turn.signal)
  turn.forwards += step!.tokens
  yield turn.write(step!)
  turn.written += Number(step!.text !== '')
  if (step!.end === 'text') turn.over()
}

async function* writeOn(place: Place, turn: Turn): Told {
  const { target, can, prompt, output, rules, sampling } = place
  const base = joined(prompt, output, turn.passage)
  const cutter = new StepCutter(rules, channelsAt(place, turn.passage.text))
  const seedOffset = output.tokens + turn.passage.tokens
  const writing = { maxTokens: turn.room, sampling, seedOffset, isRendered: prompt.isRendered }
  const [pieces] = target.write([promptOf(base)], writing, can, turn.signal)
  for await (const piece of pieces!) {
    const passage = passageOf(piece)
    for (const _ of cutter.push(passage)) turn.written++
    turn.forwards += passage.tokens
    yield turn.write(passage)
    if (piece.end === 'stop') turn.over()
    const isEnough = turn.decode !== 'end' && turn.written >= turn.decode
    if (piece.end || isEnough || turn.stopped || turn.room <= 0) break
  }
  turn.written += Number(cutter.rest.text !== '')
}

/** The target's own versions of all steps, in one call; the verifier compares. */
export async function* compareSteps(
  place: Place,
  turn: Turn,
  verifier: Verifier,
  drafted: Drafted,
): Told<Delta | Verdict> {
  const { target, can, prompt, output, rules, sampling } = place
  const steps = await inWords(place, drafted, turn.signal)
  const endsText = steps.at(-1)!.end === 'text'
  const after = [...steps.keys(), ...(endsText ? [] : [steps.length])].map((count) => {
    const before = joined(...steps.slice(0, count))
    return { text: joined(prompt, output, before), channels: channelsAt(place, before.text) }
  })
  const { isRendered } = prompt
  const maxTokens = Math.min(longestStep(rules), turn.room)
  const branches = { after, rules, maxTokens, sampling, seedOffset: output.tokens, isRendered }
  const targets = await writeBranches(target, can, branches, turn.signal)
  turn.forwards += Math.max(...targets.map(({ tokens }) => tokens))
  const pairs = steps.map((step, i) => pairOf(step, targets[i]!, surroundings(place, after[i]!, steps.slice(0, i))))
  const started = performance.now()
  const rulings = await rulingsOf(verifier, pairs, turn.signal)
  turn.judgeMs += performance.now() - started
  const kept = fitting(steps, targets, acceptedOf(rulings), turn.room)
  yield* verdicts(drafted, rulings.slice(0, kept < acceptedOf(rulings) ? kept : undefined))
  for (const step of steps.slice(0, kept)) yield turn.accept(step)
  const own = targets[kept]
  if (own && !turn.stopped) {
    yield turn.write(own)
    turn.written += Number(own.text !== '')
  }
  if ((own ?? steps.at(-1)!).end === 'text') turn.over()
}

/** How many of the accepted steps there is room for, the target's own after them included: its first alone always has. */
function fitting(steps: readonly Step[], targets: readonly Step[], accepted: number, room: number): number {
  const before = (count: number) => joined(...steps.slice(0, count)).tokens
  let kept = accepted
  while (before(kept) + (targets[kept]?.tokens ?? 0) > room) kept--
  return kept
}

/** The target's opinion of all drafted tokens, in one call; it writes only after those that stand. */
export async function* scoreSteps(
  place: Place,
  turn: Turn,
  verifier: Verifier,
  drafted: Drafted,
): Told<Delta | Verdict> {
  const { target, prompt, output, sampling } = place
  const words = await inWords(place, drafted, turn.signal)
  // Whether the text ends is the target's to say.
  const end = words.findIndex((step) => step.end === 'text')
  const steps = end < 0 ? words : words.slice(0, end)
  if (steps.length > 0) {
    const { ids } = joined(prompt, output, ...steps)
    if (!ids) throw noScores(target)
    const from = ids.length - steps.reduce((sum, step) => sum + step.ids!.length, 0)
    const places = await distributions(target, { ids, from, sampling }, turn.signal)
    turn.forwards++
    const rulings = opinions(verifier, steps, places)
    yield* verdicts(drafted, rulings)
    for (const step of steps.slice(0, acceptedOf(rulings))) yield turn.accept(step)
  }
  if (!turn.stopped && turn.room > 0) yield* writeAlone(place, turn)
}

function opinions(
  verifier: Verifier,
  steps: readonly Step[],
  places: Awaited<ReturnType<typeof distributions>>,
): Ruling[] {
  const rulings: Ruling[] = []
  let at = 0
  for (const step of steps) {
    const start = at
    at += step.ids!.length
    const kept = verifier.kept!(step.ids!, (i) => places[start + i]!)
    const draft = { text: step.text, tokens: step.ids!, end: step.end === 'length' ? ('cap' as const) : step.end }
    const target = { text: '', tokens: [], end: undefined }
    const ruling = verifier.rule({ draft: { ...draft, unlikely: kept < step.ids!.length }, target })
    rulings.push(ruling ?? { accepted: false, reason: 'unlikely' })
    if (!rulings.at(-1)!.accepted) break
  }
  return rulings
}

/** The drafted steps in the target's own tokens, where it can tell them: else the text has to do from there on. */
function inWords({ target, can, output }: Place, drafted: Drafted, signal: AbortSignal): Promise<Step[]> {
  const isKnown = can.ids && output.ids !== undefined
  return Promise.all(
    drafted.map(async ([, step]) => {
      if (!isKnown) return { ...step, ids: undefined }
      const ids = step.ids ?? (await tokenize(target, step.text, signal, false))
      return { ...step, ids, tokens: ids.length }
    }),
  )
}

const channelsAt = ({ prompt, output }: Place, more: string) => channelsThrough(prompt.channels, output.text + more)

function surroundings(
  { rules, output, question }: Place,
  { channels }: { channels: Prompt['channels'] },
  before: readonly Step[],
): { context: StepContext; halfSteps: 'reject' | 'verify' } {
  const context = { question, before: output.text + before.map(({ text }) => text).join('') }
  return { context, halfSteps: rulesIn(rules, channels.thinking ? 'reasoning' : 'answer').half_steps }
}

function* verdicts(drafted: Drafted, rulings: readonly Ruling[]): Generator<Verdict> {
  for (const [i, { accepted, reason }] of rulings.entries())
    yield { type: 'verdict', step: drafted[i]![0], accepted, reason }
}

const acceptedOf = (rulings: readonly Ruling[]): number => rulings.filter(({ accepted }) => accepted).length
