/** What looking ahead could gain: the paper's formulas, the clock of the simulator, and what runs have shown. */
import { choices, optimum, theorem3, theorem4 } from '@lookahead/worker/theory'
import type { Choice, Kind, Layers } from '@lookahead/worker/theory'
import { drawText, plain, simulate } from '@lookahead/worker/simulator'
import type { Comparison, Points, World } from '@lookahead/worker/simulator'
import { UsageError } from '../usage.ts'
import { measure } from './plan-runs.ts'
import { table } from './table.ts'

export interface PlanFlags {
  alpha1?: number | undefined
  alpha2?: number | undefined
  c1?: number | undefined
  c2?: number | undefined
  budget: number
  /** Milliseconds. */
  rtt?: number | undefined
  /** Milliseconds of a forward of the target. */
  tokenMs: number
  stepTokens: number
  /** Where runs of the benchmark are. */
  from?: string | undefined
  /** What its forwards cost, where that has been measured by itself. */
  forwards?: Points | undefined
  json?: true | undefined
}

interface Plan {
  layers: Layers
  budget: number
  kinds: Record<Kind, { theorem: string; optimum: Choice; choices: [Choice, ...Choice[]] }>
  distance?: Distance[] | undefined
  comparison?: Comparison[] | undefined
  /** What things cost, fitted to the runs. */
  costs?: World | undefined
}

/** Speedups over plain decoding by the clock, at a depth: without round trips, and with. */
interface Distance {
  depth: number
  near: Record<Kind, number>
  far: Record<Kind, number>
}

/** @throws UsageError, RunsError */
export async function run(flags: PlanFlags): Promise<void> {
  const plan = await makePlan(flags)
  if (flags.json) console.log(JSON.stringify(plan))
  else console.log(describe(plan, flags))
}

async function makePlan(flags: PlanFlags): Promise<Plan> {
  const measured = flags.from === undefined ? undefined : await measure(flags.from, flags.forwards)
  const layers = layersOf({ ...measured?.rates, ...given(flags) })
  const { budget, rtt } = flags
  return {
    layers,
    budget,
    kinds: {
      sync: {
        theorem: said(3, theorem3(layers, budget)),
        optimum: optimum('sync', layers, budget),
        choices: choices('sync', layers, budget),
      },
      async: {
        theorem: said(4, theorem4(layers, budget)),
        optimum: optimum('async', layers, budget),
        choices: choices('async', layers, budget),
      },
    },
    distance: rtt === undefined ? undefined : atDistance(layers, { ...flags, rtt }),
    comparison: measured?.comparison,
    costs: measured?.costs,
  }
}

const given = ({ alpha1, alpha2, c1, c2 }: PlanFlags) =>
  Object.fromEntries(Object.entries({ alpha1, alpha2, c1, c2 }).filter(([, value]) => value !== undefined))

function layersOf(rates: Partial<Record<'alpha1' | 'alpha2' | 'c1' | 'c2', number>>): Layers {
  const known = (name: keyof typeof rates) => {
    const value = rates[name]
    if (value !== undefined) return value
    throw new UsageError(`plan needs --${name}, or --from with runs that tell it (modes ar, sd and lr)`)
  }
  return {
    steps: { acceptance: known('alpha1'), cost: known('c1') },
    tokens: { acceptance: known('alpha2'), cost: known('c2') },
  }
}

const names = { both: 'both layers', steps: 'steps alone', tokens: 'tokens alone' }

function said(number: 3 | 4, layers: keyof typeof names | undefined): string {
  return layers ? `theorem ${number}: ${names[layers]}` : `theorem ${number} does not apply`
}

/** Depths that are played. */
const DEPTHS = [1, 2, 3, 4, 6, 8, 12, 16]
/** Steps of the text that is played: means are then within some 3 %. */
const STEPS = 1000

/** Both layers by the clock, forwards taking the same time whatever is in them; as many tokens guessed as pay. */
function atDistance(
  { steps, tokens }: Layers,
  { rtt, tokenMs, stepTokens, budget }: PlanFlags & { rtt: number },
): Distance[] {
  const text = drawText({ steps: steps.acceptance, tokens: tokens.acceptance, stepTokens }, STEPS, 1)
  return DEPTHS.map((depth) => {
    const [{ tokens: k2, speedup }] = choices('sync', { steps, tokens }, Math.max(1, Math.floor(budget / (depth + 1))))
    const world: World = {
      target: [[1, tokenMs]],
      // The draft guesses tokens too.
      draftToken: (steps.cost * tokenMs) / speedup,
      guess: tokens.cost * tokenMs,
      judge: 0,
      roundTrip: 0,
      call: 0,
    }
    const over = (kind: Kind, roundTrip: number) =>
      (STEPS * stepTokens * tokenMs) /
      simulate(text, { ...plain, kind, depth, guesses: k2 - 1 }, { ...world, roundTrip }).ms
    return {
      depth,
      near: { sync: over('sync', 0), async: over('async', 0) },
      far: { sync: over('sync', rtt), async: over('async', rtt) },
    }
  })
}

function describe(
  { layers, budget, kinds, distance, comparison }: Plan,
  { rtt, stepTokens, tokenMs }: PlanFlags,
): string {
  const { steps, tokens } = layers
  const times = (value: number) => `${value.toFixed(2)}×`
  const best = kinds.async.optimum
  const rows = Object.entries(kinds).map(
    ([
      kind,
      {
        optimum: { steps: k1, tokens: k2, speedup },
        theorem,
      },
    ]) => [kind, k1, k2, times(speedup), theorem],
  )
  const [alone] = kinds.async.choices
  const parts = [
    `steps: α1 ${round(steps.acceptance)}, c1 ${round(steps.cost)}; tokens: α2 ${round(tokens.acceptance)}, c2 ${round(tokens.cost)}; ${budget} tokens in a forward at most`,
    table(['best', 'k1 steps', 'k2 tokens', 'speedup', ''], rows),
    `asynchronous, with the k2 that suits each k1; ${times(alone.speedup)} by tokens alone`,
    table(
      ['k1 steps', 'k2 tokens', 'speedup', ''],
      kinds.async.choices.map((choice) => [
        choice.steps,
        choice.tokens,
        times(choice.speedup),
        choice.steps === best.steps ? '←' : '',
      ]),
    ),
  ]
  if (distance)
    parts.push(
      `by the clock: ${stepTokens} tokens a step, ${tokenMs} ms a forward, round trips of 0 and of ${rtt} ms`,
      table(
        ['depth', 'sync 0', 'async 0', `sync ${rtt}`, `async ${rtt}`],
        distance.map(({ depth, near, far }) => [depth, ...[near.sync, near.async, far.sync, far.async].map(times)]),
      ),
    )
  if (comparison)
    parts.push(
      'milliseconds a token: costs from every second problem, runs of the others',
      table(
        ['mode', 'runs', 'measured', 'predicted', 'error'],
        comparison.map((row) => [
          row.mode,
          row.runs,
          row.measured.toFixed(3),
          row.predicted.toFixed(3),
          `${(100 * row.error).toFixed(1)} %`,
        ]),
      ),
    )
  return parts.join('\n\n')
}

const round = (value: number): string => String(Number(value.toFixed(3)))
