/** One cycle's verification, in its three kinds: the target alone, its own version of each step, or its opinion of each token. */
import { channelsThrough, longestStep, rulesIn } from '@lookahead/sdk/protocol'
import type { Sampling, StepRules } from '@lookahead/sdk/protocol'
import type { Delta, Verdict } from '../../lookahead/upstream.ts'
import { rejected } from '../../lookahead/verifiers/index.ts'
import type { Ruling, StepContext, Verifier } from '../../lookahead/verifiers/index.ts'
import { acceptedSteps, decisiveRulings } from './alternatives.ts'
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
import type { CommitBuilder } from './commit-builder.ts'

/** A text as it stands, and how it is gone on with. */
export interface TextState {
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
type DraftedPositions = readonly (readonly Named[])[]

type Events<Event = Delta> = AsyncGenerator<Event, void, undefined>

/**
 * What was drafted is looked at, where the context has room for that; else the target writes alone, and where it has room for nothing the
 * text is over.
 */
export async function* goOn(
  state: TextState,
  builder: CommitBuilder,
  verifier: Verifier,
  drafted: DraftedPositions,
): Events<Delta | Verdict> {
  if (builder.room <= 0) return
  const look = verifier.kept ? scoreSteps : compareSteps
  try {
    if (drafted.length > 0) yield* look(state, builder, verifier, drafted)
  } catch (error) {
    if (!isFull(error)) throw error
  }
  try {
    // Whoever looked at it has written as well.
    if (builder.passage === EMPTY) yield* writeAlone(state, builder)
  } catch (error) {
    if (!isFull(error) || state.output.tokens === 0) throw error
    builder.full()
  }
}

/** Plain decoding: the target writes on, so many steps or to the end of the text. */
async function* writeAlone(state: TextState, builder: CommitBuilder): Events {
  if (builder.decode === 1) yield* writeStep(state, builder)
  else yield* writeOn(state, builder)
}

/** One step, which the server ends where it can: what comes in pieces of several tokens could not be cut between them. */
async function* writeStep(state: TextState, builder: CommitBuilder): Events {
  const { target, can, prompt, output, rules, sampling } = state
  const after = [{ text: joined(prompt, output, builder.passage), channels: channelsAt(state, builder.passage.text) }]
  const maxTokens = Math.min(longestStep(rules), builder.room)
  const { isRendered } = prompt
  const seedOffset = output.tokens + builder.passage.tokens
  const branches = { after, rules, maxTokens, sampling, seedOffset, isRendered }
  const [step] = await writeBranches(target, can, branches, builder.signal)
  builder.forwards += step!.tokens
  yield builder.write(step!)
  builder.written += Number(step!.text !== '')
  if (step!.end === 'text') builder.over()
}

async function* writeOn(state: TextState, builder: CommitBuilder): Events {
  const { target, can, prompt, output, rules, sampling } = state
  const base = joined(prompt, output, builder.passage)
  const channels = channelsAt(state, builder.passage.text)
  const [cutter, reader] = [new StepCutter(rules, channels), new Reader(channels)]
  const seedOffset = output.tokens + builder.passage.tokens
  const maxTokens = stretchIn(builder.room, base.ids, can)
  const writing = { maxTokens, sampling, seedOffset, isRendered: prompt.isRendered }
  const pieces = writeWithin(target, [promptOf(base)], writing, can, builder.signal)
  for await (const piece of pieces) {
    const passage = reader.read(piece)
    for (const _ of cutter.push(passage)) builder.written++
    builder.forwards += passage.tokens
    yield builder.write(passage)
    if (piece.end === 'stop') builder.over()
    const isEnough = builder.decode !== 'end' && builder.written >= builder.decode
    if (piece.end || isEnough || builder.stopped || builder.room <= 0) break
  }
  builder.written += Number(cutter.rest.text !== '')
}

/** The target's own version of each place, all in one call; the verifier compares it with what was drafted there. */
async function* compareSteps(
  state: TextState,
  builder: CommitBuilder,
  verifier: Verifier,
  drafted: DraftedPositions,
): Events<Delta | Verdict> {
  const { target, can, prompt, output, rules, sampling } = state
  const places = await inWords(state, drafted, builder.signal)
  const chain = places.map(([first]) => first!.step)
  const endsText = chain.at(-1)!.end === 'text'
  const after = [...chain.keys(), ...(endsText ? [] : [chain.length])].map((count) => {
    const before = joined(...chain.slice(0, count))
    return { text: joined(prompt, output, before), channels: channelsAt(state, before.text) }
  })
  const { isRendered } = prompt
  const maxTokens = Math.min(longestStep(rules), builder.room)
  const branches = { after, rules, maxTokens, sampling, seedOffset: output.tokens, isRendered }
  const targets = await writeBranches(target, can, branches, builder.signal)
  builder.forwards += Math.max(...targets.map(({ tokens }) => tokens))
  const pairs = places.map((alternatives, i) => {
    const around = surroundings(state, after[i]!, chain.slice(0, i))
    return alternatives.map(({ step }) => pairOf(step, targets[i]!, around))
  })
  const started = performance.now()
  const told = await rulingsOf(verifier, pairs, builder.signal)
  builder.judgeMs += performance.now() - started
  const stands = acceptedSteps(places, told)
  // The target has written nothing after another than the first.
  const own = (kept: number) => (stands[kept - 1] === chain[kept - 1] ? targets[kept] : undefined)
  const kept = fitting(stands, own, builder.room)
  yield* verdicts(places, kept < stands.length ? told.slice(0, kept) : told)
  for (const step of stands.slice(0, kept)) yield builder.accept(step)
  const next = own(kept)
  if (next && !builder.stopped) {
    yield builder.write(next)
    builder.written += Number(next.text !== '')
  }
  if ((next ?? stands[kept - 1])?.end === 'text') builder.over()
}

/** How many of the accepted steps there is room for, the target's own after them included: its first alone always has. */
function fitting(stands: readonly Step[], own: (kept: number) => Step | undefined, room: number): number {
  let kept = stands.length
  while (joined(...stands.slice(0, kept)).tokens + (own(kept)?.tokens ?? 0) > room) kept--
  return kept
}

/** The target's opinion of all drafted tokens, at once; it writes only after those that stand. */
async function* scoreSteps(
  state: TextState,
  builder: CommitBuilder,
  verifier: Verifier,
  drafted: DraftedPositions,
): Events<Delta | Verdict> {
  const words = await inWords(state, drafted, builder.signal)
  // Whether the text ends is the target's to say.
  const isOpen = ({ step }: Named) => step.end !== 'text'
  const end = words.findIndex(([first]) => !isOpen(first!))
  const places = words.slice(0, end < 0 ? undefined : end).map((alternatives) => alternatives.filter(isOpen))
  if (places.length > 0) {
    const told = decisiveRulings(await opinions(state, verifier, places, builder.signal))
    builder.forwards++
    const stands = acceptedSteps(places, told)
    const kept = fitting(stands, () => undefined, builder.room)
    yield* verdicts(places, kept < stands.length ? told.slice(0, kept) : told)
    for (const step of stands.slice(0, kept)) yield builder.accept(step)
  }
  if (!builder.stopped && builder.room > 0) yield* writeAlone(state, builder)
}

/** One call for the chain of first alternatives, and one for each other beside it. */
async function opinions(
  state: TextState,
  verifier: Verifier,
  places: DraftedPositions,
  signal: AbortSignal,
): Promise<Ruling[][]> {
  const chain = places.map(([first]) => first!.step)
  const ofChain = scoresOf(state, [], chain, signal)
  return Promise.all(
    places.map((alternatives, i) =>
      Promise.all(
        alternatives.map(async ({ step }, number) => {
          const before = chain.slice(0, i)
          if (number > 0) return opinion(verifier, step, await scoresOf(state, before, [step], signal))
          return opinion(verifier, step, (await ofChain).slice(joined(...before).ids!.length))
        }),
      ),
    ),
  )
}

type Scores = Awaited<ReturnType<typeof distributions>>

/** @returns for each token of `steps`, which come after `before` */
function scoresOf(
  { target, can, prompt, output, sampling }: TextState,
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
function inWords(
  { target, can, output }: TextState,
  drafted: DraftedPositions,
  signal: AbortSignal,
): Promise<Named[][]> {
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

const channelsAt = ({ prompt, output }: TextState, more: string) => channelsThrough(prompt.channels, output.text + more)

function surroundings(
  { rules, output, question }: TextState,
  { channels }: { channels: Prompt['channels'] },
  before: readonly Step[],
): { context: StepContext; halfSteps: 'reject' | 'verify' } {
  const context = { question, before: output.text + before.map(({ text }) => text).join('') }
  return { context, halfSteps: rulesIn(rules, channels.thinking ? 'reasoning' : 'answer').half_steps }
}

function* verdicts(places: DraftedPositions, told: readonly (readonly Ruling[])[]): Generator<Verdict> {
  for (const [i, rulings] of told.entries())
    for (const [number, ruling] of rulings.entries()) yield { type: 'verdict', step: places[i]![number]!.id, ...ruling }
}
