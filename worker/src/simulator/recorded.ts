/** A run as `npm run bench -- --out FILE` records it, a line of JSON each; what is not needed here is let pass. */
import * as v from 'valibot'
import { randomFrom } from './random.ts'
import type { Step, Text } from './text.ts'

const Event = v.looseObject({
  type: v.string(),
  step: v.optional(v.number()),
  /** Of several drafted for one place, which; absent for the first. */
  alternative: v.optional(v.number()),
  text: v.optional(v.string()),
})
const Stats = v.looseObject({
  cycles: v.number(),
  drafted_steps: v.number(),
  accepted_steps: v.number(),
  proposed_tokens: v.number(),
  target_forwards: v.number(),
  draft_ms: v.number(),
  target_ms: v.number(),
  judge_ms: v.number(),
})

export const RecordedRun = v.looseObject({
  problem: v.string(),
  mode: v.string(),
  conditions: v.looseObject({
    /** Milliseconds of round trip put between worker and backend. */
    rtt: v.optional(v.number(), 0),
    /** Steps drafted ahead at most. */
    depth: v.number(),
  }),
  /** From sending the request to the terminal event. */
  ms: v.pipe(v.number(), v.minValue(0)),
  tokens: v.pipe(v.number(), v.integer(), v.minValue(1)),
  stats: Stats,
  timeline: v.array(Event),
})
export type RecordedRun = v.InferOutput<typeof RecordedRun>

/** Reasons for which a step is accepted only after the target has written its own version. */
const COMPARED = new Set(['judge', 'embedding', 'score'])

/** What is known of one place of the output. */
interface Place {
  drafted?: string
  own?: string
  accepted?: boolean
  reason?: string
}

/**
 * The text of a run: which steps were accepted, how long they were, how much of them the target would have written too.
 * A step that was never drafted is accepted as often as the others; what no step tells of, the target writes alone.
 */
export function textOf(run: RecordedRun, seed = 0): Text {
  const places = placesOf(run)
  const ruled = places.filter(({ accepted }) => accepted !== undefined)
  const alpha = ruled.filter(({ accepted }) => accepted).length / Math.max(1, ruled.length)
  const shared = sharedPart(places)
  const random = randomFrom(seed)
  const inSteps = places.reduce((sum, place) => sum + outputOf(place).length, 0)
  const tokensPerCharacter = Math.min(run.tokens / Math.max(1, inSteps), tokenDensity(run))
  const tokens = (characters: number) => Math.max(1, Math.round(characters * tokensPerCharacter))

  const steps = places.map((place): Step => {
    const accepted = place.accepted ?? random() < alpha
    const own = tokens((place.own ?? place.drafted ?? '').length)
    const drafted = tokens((place.drafted ?? place.own ?? '').length)
    if (accepted && !COMPARED.has(place.reason ?? 'judge')) return { drafted, own: drafted, agreed: drafted, accepted }
    const part = place.drafted !== undefined && place.own !== undefined ? sharedPart([place]) : shared
    return { drafted, own, agreed: Math.min(own - 1, Math.floor(part * own)), accepted }
  })
  const rest = run.tokens - steps.reduce((sum, { own }) => sum + own, 0)
  if (rest > 0) steps.push({ drafted: 0, own: rest, agreed: 0, accepted: false })
  return { steps, tokenAcceptance: () => 0 }
}

/** Steps accepted of the places ruled on: α1. `undefined` where none was. */
export function stepAcceptance(runs: readonly RecordedRun[]): number | undefined {
  const verdicts = runs.flatMap(({ timeline }) => timeline.filter(({ type }) => isVerdict(type)))
  const places = verdicts.filter(({ alternative }) => !alternative).length
  return places > 0 ? verdicts.filter(({ type }) => type === 'step.accepted').length / places : undefined
}

/** Whether drafting ran ahead of the verdicts: after a verdict came a step that is not the next, so those between were still to be ruled on. */
export function ranAhead({ timeline }: RecordedRun): boolean {
  const events = timeline.filter(({ step }) => step !== undefined)
  let ruled = -1
  return events.some(({ type, step }, i) => {
    if (type !== 'step.drafted') ruled = step!
    return type === 'step.drafted' && events[i - 1]?.type !== 'step.drafted' && i > 0 && step! > ruled + 1
  })
}

/** Steps drafted between one commit and the next, where any were: the mean. */
export function stepsInCycle(runs: readonly RecordedRun[]): number {
  let [drafted, cycles] = [0, 0]
  for (const { timeline } of runs) {
    let open = false
    for (const { type, alternative } of timeline) {
      if (type === 'run.stats') open = false
      if (type !== 'step.drafted' || alternative) continue
      if (!open) cycles++
      open = true
      drafted++
    }
  }
  return cycles > 0 ? drafted / cycles : 0
}

const isVerdict = (type: string): boolean => type === 'step.accepted' || type === 'step.rejected'

function placesOf({ timeline }: RecordedRun): Place[] {
  const places = new Map<number, Place>()
  for (const { type, step, text, reason } of timeline) {
    if (step === undefined || text === undefined || (!isVerdict(type) && type !== 'step.corrected')) continue
    const place = places.get(step) ?? {}
    if (type === 'step.corrected') place.own = text
    else Object.assign(place, { drafted: text, accepted: type === 'step.accepted', reason })
    places.set(step, place)
  }
  return [...places.keys()].toSorted((a, b) => a - b).map((step) => places.get(step)!)
}

const outputOf = ({ accepted, drafted, own }: Place): string => (accepted ? drafted : own) ?? ''

/** The part of the target's versions that the drafted steps begin with, where both are known. */
function sharedPart(places: readonly Place[]): number {
  let [shared, all] = [0, 0]
  for (const { drafted, own } of places) {
    if (drafted === undefined || own === undefined) continue
    shared += commonStart(drafted, own)
    all += own.length
  }
  return all > 0 ? shared / all : 0
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

const tokenDensity = ({ tokens, text }: RecordedRun): number =>
  typeof text === 'string' && text.length > 0 ? tokens / text.length : Infinity
