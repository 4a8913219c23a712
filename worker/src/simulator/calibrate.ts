/** What things cost on the machine that made some runs: least squares over what they did and took. */
import { curve } from './curve.ts'
import type { Points } from './curve.ts'
import { plane, ratio } from './least-squares.ts'
import type { RecordedRun } from './recorded.ts'
import { replays } from './replay.ts'
import type { Replay } from './replay.ts'
import { simulate } from './simulate.ts'
import type { Simulated } from './simulate.ts'
import type { Way, World } from './world.ts'

/** After so many the costs do not change any more. */
const ROUNDS = 4

/**
 * Costs from the phases that runs report: what a forward of one token costs from `ar`, of one with guesses from `sd`, of more
 * tokens than that from modes with steps. Where drafting ran ahead, parts that ran side by side slowed each other, and their
 * costs have that in them.
 * @param forwards what forwards cost, where that has been measured by itself
 * @throws RangeError without a run of `ar`: nothing else tells what plain decoding costs
 */
export function calibrate(runs: readonly RecordedRun[], forwards?: Points): World {
  const alone = runs.filter(({ mode }) => mode === 'ar' || mode === 'sd')
  const [ar, sd] = ['ar', 'sd'].map((mode) => runs.filter((run) => run.mode === mode)) as [RecordedRun[], RecordedRun[]]
  if (ar.length === 0) throw new RangeError('there are no runs of the mode ar: they tell what plain decoding costs')
  const [call, perForward] = plane(alone.map((run) => ({ x: [1, run.stats.target_forwards], y: untold(run) })))
  const forwardMs = (of: readonly RecordedRun[]) =>
    perForward + ratio(of.map(({ stats }) => [stats.target_ms, stats.target_forwards]))
  const guesses = ratio(sd.map(({ stats }) => [stats.proposed_tokens, stats.target_forwards]))
  const near: Points = [[1, forwardMs(ar)], ...(guesses > 0 ? [[1 + guesses, forwardMs(sd)] as const] : [])]

  const all = replays(runs)
  const given = forwards?.map(([tokens, ms]) => [tokens, ms + perForward] as const)
  let world: World = { target: given ?? near, draftToken: near[0]![1] / 10, guess: 0, judge: 0, roundTrip: 0, call }
  // How far a draft gets ahead of the target depends on what both cost.
  for (let round = 0; round < ROUNDS; round++) {
    const played = all.map((replay) => playAgain(replay, world))
    const [guess, draftToken] = plane(
      played.map(({ run, did }) => ({ x: [did.guessed, did.draftedTokens], y: run.stats.draft_ms })),
    )
    const judge = ratio(played.map(({ run, did }) => [run.stats.judge_ms, did.judged]))
    world = { ...world, target: given ?? withFar(near, perForward, played), guess, draftToken, judge }
  }
  return world
}

interface Played {
  run: RecordedRun
  way: Way
  did: Simulated
  /** New tokens in each forward. */
  forwards: number[]
}

function playAgain({ run, text, way }: Replay, world: World): Played {
  const forwards: number[] = []
  const did = simulate(text, way, world, { onForward: ({ tokens }) => forwards.push(tokens) })
  return { run, way, did, forwards }
}

/**
 * How much every token past the last point costs: what forwards took more than they would have without those. Of modes that
 * take drafted tokens for guesses, where there are any: there they are most of the tokens.
 */
function withFar(near: Points, perForward: number, played: readonly Played[]): Points {
  const [last, lastMs] = near.at(-1)!
  const ms = curve(near)
  const withSteps = played.filter(({ way }) => way.depth > 0)
  const reusing = withSteps.filter(({ way }) => way.reuse)
  const longest = reusing.length > 0 ? reusing : withSteps
  const slope = ratio(
    longest.map(({ run, forwards }) => {
      const took = run.stats.target_ms + perForward * run.stats.target_forwards
      const without =
        sum(forwards.map((tokens) => ms(Math.min(tokens, last)))) * (run.stats.target_forwards / forwards.length)
      return [took - without, sum(forwards.map((tokens) => Math.max(0, tokens - last)))]
    }),
  )
  return longest.length > 0 ? [...near, [last + 1, lastMs + Math.max(0, slope)]] : near
}

/** What no phase tells of: a call's own time, and what comes with every forward (sampling, sending text). */
const untold = ({ ms, stats, conditions }: RecordedRun): number =>
  ms - stats.target_ms - stats.draft_ms - stats.judge_ms - conditions.rtt

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
