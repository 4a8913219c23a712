/** Recorded runs, as the simulator takes them. */
import { expectedWithBonus } from '../lookahead/theory/index.ts'
import { ranAhead, stepsInCycle, textOf } from './recorded.ts'
import type { RecordedRun } from './recorded.ts'
import type { Text } from './text.ts'
import { plain } from './world.ts'
import type { Way } from './world.ts'

export interface Replay {
  run: RecordedRun
  text: Text
  way: Way
}

/** Tokens guessed in a forward, and α2: from the runs of token speculation alone. */
export interface TokenRates {
  guesses: number
  acceptance: number
}

/** How each run was made. Runs of one mode are taken to be alike: depth and guesses are means. */
export function replays(runs: readonly RecordedRun[]): Replay[] {
  const tokens = tokenRates(runs)
  const modes = [...new Set(runs.map(({ mode }) => mode))]
  const ways = new Map(
    modes.map((mode) => [
      mode,
      wayOf(
        runs.filter((run) => run.mode === mode),
        tokens,
      ),
    ]),
  )
  return runs.map((run, i) => {
    const text: Text = { ...textOf(run, i), tokenAcceptance: () => tokens.acceptance }
    return { run, text, way: ways.get(run.mode)! }
  })
}

export function tokenRates(runs: readonly RecordedRun[]): TokenRates {
  const sd = runs.filter(({ mode }) => mode === 'sd')
  const total = (of: (run: RecordedRun) => number) => sd.reduce((sum, run) => sum + of(run), 0)
  const forwards = total(({ stats }) => stats.target_forwards)
  if (forwards === 0) return { guesses: 0, acceptance: 0 }
  const guesses = Math.round(total(({ stats }) => stats.proposed_tokens) / forwards)
  return { guesses, acceptance: acceptanceFor(total(({ tokens }) => tokens) / forwards, guesses) }
}

function wayOf(runs: readonly RecordedRun[], { guesses }: TokenRates): Way {
  const hasSteps = runs.some(({ stats }) => stats.drafted_steps > 0)
  const hasTokens = runs.some(({ stats }) => stats.proposed_tokens > 0)
  const isRead = runs.some(hasReadSteps)
  const tokens: Pick<Way, 'guesses' | 'reuse' | 'ownVersions'> = {
    guesses: hasTokens ? guesses : 0,
    // What was drafted is read, as guesses or as it stands.
    reuse: hasSteps && (hasTokens || isRead),
    ownVersions: isRead ? 'refused' : 'all',
  }
  if (!hasSteps) return { ...plain, ...tokens }
  if (runs.some(ranAhead)) return { ...plain, ...tokens, kind: 'async', depth: runs[0]!.conditions.depth }
  return { ...plain, ...tokens, depth: Math.max(1, Math.round(stepsInCycle(runs))) }
}

/** Whether a verifier let steps stand for which the target wrote no version of its own. */
const hasReadSteps = ({ timeline }: RecordedRun): boolean =>
  timeline.some(({ type, reason }) => type === 'step.accepted' && reason === 'likely')

/** α2 for which a forward with so many guesses brings `tokens` on average. */
function acceptanceFor(tokens: number, guesses: number): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (expectedWithBonus(middle, guesses) < tokens) low = middle
    else high = middle
  }
  return low
}
