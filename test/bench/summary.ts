import { isFailed } from './runs/run.ts'
import type { CompletedRun, Run } from './runs/run.ts'
import { quantile, sum, wilson } from './statistics.ts'

/** What the runs of one mode come to. Of failed ones nothing counts but that nothing was answered. */
export interface ModeSummary {
  runs: number
  failed: number
  /** Fraction of the problems (or their parts) answered correctly. */
  accuracy: number
  /** 95 %, Wilson's. */
  accuracyInterval: [number, number]
  tokens: number
  seconds: number
  /** All tokens over all seconds: what one client sees. */
  tokensPerSecond: number
  /** All tokens over the time in which any of the clients ran: what the machine gives. */
  throughput: number
  /** Accepted drafted steps over drafted steps; `null` in modes without steps. */
  acceptRate: number | null
  /** Accepted steps over steps that were ruled on: those after a rejected one are not. `null` as above. */
  stepAcceptance: number | null
  /** Tokens per second over those of `ar` on the same problem: the median problem. `null` without `ar`. */
  speedup: number | null
  /** Lower and upper quartile of the same ratio. */
  speedupQuartiles: [number, number] | null
  /** Seconds of `ar` on all problems over this mode's: counts that a mode may write more or fewer tokens. */
  speedupOfTotalTime: number | null
  /** Problems whose text and token count are those of `ar`. `null` without `ar`. */
  equal: number | null
}

/** @param runs all of one mode @param baseline the same problems in `ar`; pairs are found by problem and sample */
export function summarize(runs: readonly Run[], baseline: readonly Run[] | undefined): ModeSummary {
  const completed = completedOf(runs)
  const pairs = baseline && pairUp(completed, completedOf(baseline))
  const ratios = pairs?.map(([run, plain]) => speed(run) / speed(plain))
  const total = (of: (run: CompletedRun) => number) => sum(completed.map(of))
  const failed = runs.length - completed.length
  // A failed run counts as one wrong answer, however many parts its problem has.
  const [right, of] = [total((run) => run.right), total((run) => run.of) + failed]
  const [tokens, seconds] = [total((run) => run.tokens), total((run) => run.ms) / 1000]
  const [drafted, accepted] = [total((run) => run.stats.drafted_steps), total((run) => run.stats.accepted_steps)]
  const ruled = total(ruledOn)
  return {
    runs: runs.length,
    failed,
    accuracy: right / of,
    accuracyInterval: wilson(right, of),
    tokens,
    seconds,
    tokensPerSecond: tokens / seconds,
    throughput: (1000 * tokens) / busyMs(completed),
    acceptRate: drafted > 0 ? accepted / drafted : null,
    stepAcceptance: ruled > 0 ? accepted / ruled : null,
    speedup: ratios ? quantile(ratios, 0.5) : null,
    speedupQuartiles: ratios ? [quantile(ratios, 0.25), quantile(ratios, 0.75)] : null,
    speedupOfTotalTime: pairs ? sum(pairs.map(([, plain]) => plain.ms)) / sum(pairs.map(([run]) => run.ms)) : null,
    equal: pairs ? pairs.filter(([run, plain]) => run.text === plain.text && run.tokens === plain.tokens).length : null,
  }
}

/** By mode, in the order in which the modes are given. */
export function summarizeModes(runs: readonly Run[], modes: readonly string[]): Record<string, ModeSummary> {
  const of = (mode: string) => runs.filter((run) => run.mode === mode)
  const baseline = modes.includes('ar') ? of('ar') : undefined
  return Object.fromEntries(modes.map((mode) => [mode, summarize(of(mode), baseline)]))
}

const completedOf = (runs: readonly Run[]): CompletedRun[] => runs.filter((run): run is CompletedRun => !isFailed(run))

/** Time in which at least one of the runs went on. */
function busyMs(runs: readonly CompletedRun[]): number {
  let [busy, until] = [0, 0]
  const spans = runs.map(({ started, ms }) => ({ from: Date.parse(started), to: Date.parse(started) + ms }))
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    busy += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return busy
}

const speed = ({ tokens, ms }: CompletedRun): number => tokens / ms

export const count = ({ timeline }: CompletedRun, type: string): number =>
  timeline.filter((event) => event.type === type).length

/** Places of the output for which drafted steps were ruled on, however many alternatives there were. */
export const ruledOn = ({ timeline }: CompletedRun): number =>
  timeline.filter(({ type, alternative }) => (type === 'step.accepted' || type === 'step.rejected') && !alternative)
    .length

function pairUp(runs: readonly CompletedRun[], baseline: readonly CompletedRun[]): [CompletedRun, CompletedRun][] {
  const key = ({ problem, sample }: CompletedRun) => JSON.stringify([problem, sample])
  const plain = new Map(baseline.map((run) => [key(run), run]))
  return runs.flatMap((run) => {
    const partner = plain.get(key(run))
    return partner ? [[run, partner] as [CompletedRun, CompletedRun]] : []
  })
}
