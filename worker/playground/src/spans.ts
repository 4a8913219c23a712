/** Who was at work when, as far as a run's events tell. */
import type { TimedEvent } from './recording.ts'

export const lanes = ['draft', 'target', 'judge'] as const
export type Lane = (typeof lanes)[number]

/** Milliseconds since the request. */
export interface Span {
  lane: Lane
  from: number
  to: number
}

export interface Mark {
  at: number
  fate: 'drafted' | 'accepted' | 'rejected' | 'corrected'
}

export interface Course {
  /** When the last event came. */
  end: number
  spans: Span[]
  marks: Mark[]
}

/** Milliseconds that each part has worked since the run began. */
type Work = Record<Lane, number>
const noWork: Work = { draft: 0, target: 0, judge: 0 }

/** How long each part worked in a cycle is the worker's own count; where in the cycle, its events show. */
export function courseOf(events: readonly TimedEvent[]): Course {
  const spans: Span[] = []
  const marks: Mark[] = []
  let before = noWork
  let cycle: TimedEvent[] = []
  let start: number | undefined
  for (const event of events) {
    if ('step' in event) marks.push({ at: event.at, fate: fateOf(event.type) })
    cycle.push(event)
    if (event.type !== 'run.stats' && event.type !== 'run.completed') continue
    const { draft_ms: draft, target_ms: target, judge_ms: judge, elapsed_ms } = event.stats
    start ??= Math.max(0, event.at - elapsed_ms)
    const work = { draft: draft - before.draft, target: target - before.target, judge: judge - before.judge }
    spans.push(...cycleSpans(cycle, work, start, event.at))
    before = { draft, target, judge }
    start = event.at
    cycle = []
  }
  return { end: events.at(-1)?.at ?? 0, spans, marks }
}

const fateOf = (type: string) => type.slice('step.'.length) as Mark['fate']

function cycleSpans(events: readonly TimedEvent[], work: Work, start: number, end: number): Span[] {
  const last = (type: RegExp) => events.findLast((event) => type.test(event.type))?.at
  /** Ends at `to`, and is as long as it took. */
  const span = (lane: Lane, to: number, ms: number): Span[] =>
    ms >= 1 && to > start ? [{ lane, from: Math.max(start, to - ms), to }] : []
  const drafted = last(/drafted/) ?? start
  const drafting = span('draft', drafted, work.draft)
  const rest = work.draft - drafting.reduce((sum, { from, to }) => sum + to - from, 0)
  return [
    ...drafting,
    // What drafting took besides steps went into token guesses, between the target's forwards.
    ...span('draft', end, Math.min(rest, end - drafted)),
    ...span('target', end, work.target),
    ...span('judge', last(/accepted|rejected/) ?? end, work.judge),
  ]
}
