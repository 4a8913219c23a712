/** One cycle's verification, in its three kinds: the target alone, its own version of each step, or its opinion of each token. */
import { channelsThrough, longestStep, rulesIn } from '@lookahead/sdk/protocol'
import type { Sampling, StepRules } from '@lookahead/sdk/protocol'
import type { Delta, Verdict } from '../../lookahead/upstream.ts'
import { rejected } from '../../lookahead/verifiers/index.ts'
import type { Ruling, StepContext, Verifier } from '../../lookahead/verifiers/index.ts'
import { settled, standing } from './alternatives.ts'
import type { Named } from './alternatives.ts'
import { writeBranches } from './branches.ts'
import { StepCutter } from './cutter.ts'
import type { Step } from './cutter.ts'
import { EMPTY, joined, promptOf } from './passage.ts'
import type { Passage } from './passage.ts'
import { tokenize } from './probe.ts'
import type { Capabilities } from './probe.ts'
import type { Prompt } from './prompt.ts'
import { Reader } from './reader.ts'
import { isFull, stretchIn, writeWithin } from './room.ts'
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
  /** In the place of the verifier that calls bring. */
  verifier: string | undefined
}

/** What was drafted, place after place. */
type Places = readonly (readonly Named[])[]

type Told<Event = Delta> = AsyncGenerator<Event, void, undefined>

/**
 * What was drafted is looked at, where the context has room for that; else the target writes alone, and where it has room for nothing the
 * text is over.
 */
export async function* goOn(place: Place, turn: Turn, verifier: Verifier, drafted: Places): Told<Delta | Verdict> {
  if (turn.room <= 0) return
  const look = verifier.kept ? scoreSteps : compareSteps
  try {
    if (drafted.length > 0) yield* look(place, turn, verifier, drafted)
  } catch (error) {
    if (!isFull(error)) throw error
  }
  try {
    // Whoever looked at it has written as well.
    if (turn.passage === EMPTY) yield* writeAlone(place, turn)
  } catch (error) {
    if (!isFull(error) || place.output.tokens === 0) throw error
    turn.full()
  }
}

/** Plain decoding: the target writes on, so many steps or to the end of the text. */
async function* writeAlone(place: Place, turn: Turn): Told {
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
  const channels = channelsAt(place, turn.passage.text)
  const [cutter, reader] = [new StepCutter(rules, channels), new Reader(channels)]
  const seedOffset = output.tokens + turn.passage.tokens
  const maxTokens = stretchIn(turn.room, base.ids, can)
  const writing = { maxTokens, sampling, seedOffset, isRendered: prompt.isRendered }
  const pieces = writeWithin(target, [promptOf(base)], writing, can, turn.signal)
  for await (const piece of pieces) {
    const passage = reader.read(piece)
    for (const _ of cutter.push(passage)) turn.written++
    turn.forwards += passage.tokens
    yield turn.write(passage)
    if (piece.end === 'stop') turn.over()
    const isEnough = turn.decode !== 'end' && turn.written >= turn.decode
    if (piece.end || isEnough || turn.stopped || turn.room <= 0) break
  }
  turn.written += Number(cutter.rest.text !== '')
}

/** The target's own version of each place, all in one call; the verifier compares it with what was drafted there. */
async function* compareSteps(place: Place, turn: Turn, verifier: Verifier, drafted: Places): Told<Delta | Verdict> {
  const { target, can, prompt, output, rules, sampling } = place
  const places = await inWords(place, drafted, turn.signal)
  const chain = places.map(([first]) => first!.step)
  const endsText = chain.at(-1)!.end === 'text'
  const after = [...chain.keys(), ...(endsText ? [] : [chain.length])].map((count) => {
    const before = joined(...chain.slice(0, count))
    return { text: joined(prompt, output, before), channels: channelsAt(place, before.text) }
  })
  const { isRendered } = prompt
  const maxTokens = Math.min(longestStep(rules), turn.room)
  const branches = { after, rules, maxTokens, sampling, seedOffset: output.tokens, isRendered }
  const targets = await writeBranches(target, can, branches, turn.signal)
  turn.forwards += Math.max(...targets.map(({ tokens }) => tokens))
  const pairs = places.map((alternatives, i) => {
    const around = surroundings(place, after[i]!, chain.slice(0, i))
    return alternatives.map(({ step }) => pairOf(step, targets[i]!, around))
  })
  const started = performance.now()
  const told = await rulingsOf(verifier, pairs, turn.signal)
  turn.judgeMs += performance.now() - started
  const stands = standing(places, told)
  // The target has written nothing after another than the first.
  const own = (kept: number) => (stands[kept - 1] === chain[kept - 1] ? targets[kept] : undefined)
  const kept = fitting(stands, own, turn.room)
  yield* verdicts(places, kept < stands.length ? told.slice(0, kept) : told)
  for (const step of stands.slice(0, kept)) yield turn.accept(step)
  const next = own(kept)
  if (next && !turn.stopped) {
    yield turn.write(next)
    turn.written += Number(next.text !== '')
  }
  if ((next ?? stands[kept - 1])?.end === 'text') turn.over()
}

/** How many of the accepted steps there is room for, the target's own after them included: its first alone always has. */
function fitting(stands: readonly Step[], own: (kept: number) => Step | undefined, room: number): number {
  let kept = stands.length
  while (joined(...stands.slice(0, kept)).tokens + (own(kept)?.tokens ?? 0) > room) kept--
  return kept
}

/** The target's opinion of all drafted tokens, at once; it writes only after those that stand. */
async function* scoreSteps(place: Place, turn: Turn, verifier: Verifier, drafted: Places): Told<Delta | Verdict> {
  const words = await inWords(place, drafted, turn.signal)
  // Whether the text ends is the target's to say.
  const isOpen = ({ step }: Named) => step.end !== 'text'
  const end = words.findIndex(([first]) => !isOpen(first!))
  const places = words.slice(0, end < 0 ? undefined : end).map((alternatives) => alternatives.filter(isOpen))
  if (places.length > 0) {
    const told = settled(await opinions(place, verifier, places, turn.signal))
    turn.forwards++
    const stands = standing(places, told)
    const kept = fitting(stands, () => undefined, turn.room)
    yield* verdicts(places, kept < stands.length ? told.slice(0, kept) : told)
    for (const step of stands.slice(0, kept)) yield turn.accept(step)
  }
  if (!turn.stopped && turn.room > 0) yield* writeAlone(place, turn)
}

/** One call for the chain of first alternatives, and one for each other beside it. */
async function opinions(place: Place, verifier: Verifier, places: Places, signal: AbortSignal): Promise<Ruling[][]> {
  const chain = places.map(([first]) => first!.step)
  const ofChain = scoresOf(place, [], chain, signal)
  return Promise.all(
    places.map((alternatives, i) =>
      Promise.all(
        alternatives.map(async ({ step }, number) => {
          const before = chain.slice(0, i)
          if (number > 0) return opinion(verifier, step, await scoresOf(place, before, [step], signal))
          return opinion(verifier, step, (await ofChain).slice(joined(...before).ids!.length))
        }),
      ),
    ),
  )
}

type Scores = Awaited<ReturnType<typeof distributions>>

/** @returns for each token of `steps`, which come after `before` */
function scoresOf(
  { target, can, prompt, output, sampling }: Place,
  before: readonly Step[],
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<Scores> {
  const { ids } = joined(prompt, output, ...before, ...steps)
  if (!ids) throw noScores(target)
  return distributions(target, can, { ids, from: ids.length - joined(...steps).ids!.length, sampling }, signal)
}

function opinion(verifier: Verifier, step: Step, scores: Scores): Ruling {
  const ids = step.ids!
  const kept = verifier.kept!(ids, (i) => scores[i]!)
  const end = step.end === 'length' ? 'cap' : step.end
  const draft = { text: step.text, tokens: ids, end, unlikely: kept < ids.length }
  return verifier.rule({ draft, target: { text: '', tokens: [], end: undefined } }) ?? rejected('unlikely')
}

/** The drafted steps in the target's own tokens, where it can tell them: else the text has to do from there on. */
function inWords({ target, can, output }: Place, drafted: Places, signal: AbortSignal): Promise<Named[][]> {
  const isKnown = can.ids && output.ids !== undefined
  const known = async ({ id, step }: Named): Promise<Named> => {
    if (!isKnown) return { id, step: { ...step, ids: undefined } }
    const ids = step.ids ?? (await tokenize(target, step.text, signal, false))
    const { tokens, thinking = 0 } = step
    const isThought = thinking === tokens
    return {
      id,
      step: { ...step, ids, tokens: ids.length, thinking: isThought ? ids.length : Math.min(thinking, ids.length) },
    }
  }
  return Promise.all(drafted.map((alternatives) => Promise.all(alternatives.map(known))))
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

function* verdicts(places: Places, told: readonly (readonly Ruling[])[]): Generator<Verdict> {
  for (const [i, rulings] of told.entries())
    for (const [number, ruling] of rulings.entries()) yield { type: 'verdict', step: places[i]![number]!.id, ...ruling }
}
