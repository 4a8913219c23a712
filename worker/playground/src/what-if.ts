/** The same text with other rates: a recorded run, played by the simulator's clock. */
import { curve, plain, replays, simulate } from '../../src/simulator/index.ts'
import type { RecordedRun, Simulated, Text, Way, World } from '../../src/simulator/index.ts'
import { questionOf } from './recording.ts'
import type { Recording } from './recording.ts'
import { lanes } from './spans.ts'
import type { Course, Lane, Span } from './spans.ts'

export interface Rates {
  /** Steps accepted, of those ruled on: 0 to 1. */
  acceptance: number
  /** A drafted token's time over that of a target's forward. */
  cost: number
  /** Steps drafted ahead; 0: plain decoding. */
  depth: number
}

export interface Model {
  text: Text
  way: Way
  world: World
  /** As they were. */
  rates: Rates
  /** Milliseconds that plain decoding took, where it was raced. */
  plain: number | undefined
}

/** Tokens guessed in a forward, where any are: the backend guesses about as many. */
const GUESSES = 8

/**
 * What a run tells of rates and costs. Undefined where it has no steps, or did not come to its end.
 * @param beside plain decoding of the same question: it tells what that costs; else a forward costs what the run's did
 */
export function modelOf(recording: Recording, beside?: Recording): Model | undefined {
  const run = recordedRun(recording)
  if (!run || !run.timeline.some(({ type }) => type === 'step.accepted' || type === 'step.rejected')) return undefined
  const [replayed] = replays([run])
  const guesses = run.stats.proposed_tokens > 0 ? GUESSES : 0
  const way: Way = { ...replayed!.way, guesses }
  const text = withTokenAcceptance(replayed!.text, way, run.stats.target_forwards)
  const alone = beside && recordedRun(beside)
  const world = worldOf(run, text, way, {
    forward: forwardMs(recording) ?? 0,
    alone: beside && forwardMs(beside),
  })
  const ruled = text.steps.filter(({ drafted }) => drafted > 0)
  const acceptance = ruled.filter(({ accepted }) => accepted).length / Math.max(1, ruled.length)
  const rates = { acceptance, cost: world.draftToken / curve(world.target)(1), depth: way.depth }
  return { text, way, world, rates, plain: alone?.ms }
}

export interface Prediction {
  /** Milliseconds. */
  ahead: number
  plain: number
  course: Course
}

export function predict({ text, way, world, plain: measured }: Model, { acceptance, cost, depth }: Rates): Prediction {
  const changed: Text = { ...text, steps: accepting(text.steps, acceptance) }
  const costs: World = { ...world, draftToken: cost * curve(world.target)(1) }
  const spans: Span[] = []
  const { ms } = simulate(changed, { ...way, depth }, costs, {
    onSpan: ({ part, from, to }) => {
      if (isLane(part)) addSpan(spans, { lane: part, from, to })
    },
  })
  return { ahead: ms, plain: measured ?? simulate(changed, plain, costs).ms, course: { end: ms, spans, marks: [] } }
}

const isLane = (part: string): part is Lane => (lanes as readonly string[]).includes(part)

/** What follows at once is one span. */
function addSpan(spans: Span[], span: Span): void {
  const last = spans.findLast(({ lane }) => lane === span.lane)
  if (last && span.from >= last.from && span.from - last.to < 1) last.to = Math.max(last.to, span.to)
  else if (span.to > span.from) spans.push(span)
}

/** As many accepted as `acceptance` says, the run's own first; those that change are spread over the text. */
function accepting(steps: Text['steps'], acceptance: number): Text['steps'] {
  const line = steps
    .filter(({ drafted }) => drafted > 0)
    .map((step, i) => ({ step, rank: (step.accepted ? 0 : 1) + ((i * GOLDEN) % 1) }))
    .toSorted((a, b) => a.rank - b.rank)
  const kept = new Set(line.slice(0, Math.round(acceptance * line.length)).map(({ step }) => step))
  return steps.map((step) => {
    const accepted = kept.has(step)
    if (accepted === step.accepted) return step
    // The same words would be accepted.
    return { ...step, accepted, agreed: Math.min(step.agreed, Math.floor(step.own / 2)) }
  })
}

const GOLDEN = (Math.sqrt(5) - 1) / 2

/** With the chance for which the text takes as many forwards as the run did. */
function withTokenAcceptance(text: Text, way: Way, forwards: number): Text {
  let [low, high] = [0, 1]
  const at = (acceptance: number): Text => ({ ...text, tokenAcceptance: () => acceptance })
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2
    if (simulate(at(middle), way, free).forwards > forwards) low = middle
    else high = middle
  }
  return at((low + high) / 2)
}

/** Only the order of things counts. */
const free: World = { target: [[1, 1]], draftToken: 0.05, guess: 0, judge: 0, roundTrip: 0, call: 0 }

/** Milliseconds of a forward of this run, and of plain decoding. */
interface Units {
  forward: number
  alone: number | undefined
}

/**
 * Costs with which the run takes as long as it did. What the parts do not account for comes with every start; where they account for more,
 * since they were at work side by side, each has its part in it.
 */
function worldOf(run: RecordedRun, text: Text, way: Way, { forward, alone: single = forward }: Units): World {
  const did = simulate(text, way, free)
  const tokens = did.forwardTokens / Math.max(1, did.forwards)
  const perToken = run.stats.draft_ms / Math.max(1, did.draftedTokens + did.guessed)
  const world: World = {
    target:
      tokens > 1
        ? [
            [1, single],
            [tokens, Math.max(single, forward)],
          ]
        : [[1, single]],
    draftToken: perToken,
    guess: perToken,
    judge: run.stats.judge_ms / Math.max(1, did.judged),
    roundTrip: 0,
    call: 0,
  }
  const played: Simulated = simulate(text, way, world)
  const part = Math.min(1, run.ms / played.ms)
  return {
    ...world,
    target: world.target.map(([count, ms]) => [count, ms * part] as const),
    draftToken: world.draftToken * part,
    guess: world.guess * part,
    judge: world.judge * part,
    call: Math.max(0, run.ms - played.ms) / Math.max(1, played.starts),
  }
}

/** What a forward of the target took, by the median of the cycles: one that was slow for reasons of its own says nothing of the others. */
function forwardMs({ events }: Recording): number | undefined {
  const told = events.flatMap((event) => ('stats' in event ? [event.stats] : []))
  const cycles = told.map(({ target_ms, target_forwards }, i) => ({
    ms: target_ms - (told[i - 1]?.target_ms ?? 0),
    forwards: target_forwards - (told[i - 1]?.target_forwards ?? 0),
  }))
  return median(cycles.filter(({ forwards }) => forwards > 0).map(({ ms, forwards }) => ms / forwards))
}

/** Of two in the middle the lower one: of two cycles it may be the other that was slow. */
const median = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1]

function recordedRun({ request, events }: Recording): RecordedRun | undefined {
  const started = events.find((event) => event.type === 'run.started')
  const last = events.at(-1)
  if (!started || last?.type !== 'run.completed' || last.usage.completion_tokens < 1) return undefined
  return {
    problem: questionOf(request),
    mode: started.mode,
    conditions: { rtt: 0, depth: started.depth },
    ms: last.at,
    tokens: last.usage.completion_tokens,
    stats: last.stats,
    timeline: [...events],
    text: events.map((event) => (event.type === 'text.delta' ? event.text : '')).join(''),
  }
}
