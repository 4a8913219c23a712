import { decimal, listOf, Option, script, whole } from '@lookahead/gpu-backend/flags'
import { modes, verifiers } from '@lookahead/sdk/protocol'
import type { Mode, Verifier } from '@lookahead/sdk'

export interface BenchOptions {
  limit: number
  modes: Mode[]
  depth: number
  /** Whether the depth may fall below `depth` where that pays. */
  adaptive: boolean
  verifier: Verifier
  /** Default: the model's own. */
  temperature?: number | undefined
  seed: number
  /** Whether every mode must write what plain decoding writes (verifier `exact`, temperature 0). */
  checkExact: boolean
  json: boolean
}

export function readOptions(): BenchOptions {
  const { fixedDepth, checkExact, ...flags } = script(
    'bench',
    'Held-out problems through worker and SDK, every mode on every problem, in turns.',
  )
    .option('--limit <n>', 'problems', whole(1), 20)
    .option('--modes <a,b>', `of ${modes.join(', ')} (default: all); speedups are against ar`, listOf(modes))
    .option('--depth <n>', 'steps drafted ahead at most', whole(1), 8)
    .option('--fixed-depth', 'always so many of them, as in the paper', false)
    .addOption(new Option('--verifier <name>').choices(verifiers).default('judge' as const))
    .option('--temperature <t>', "default: the model's own", decimal(0, 2))
    .option('--seed <n>', 'of the sampling', whole(0), 0)
    .option('--check-exact', 'verifier exact at temperature 0: every mode must write what ar writes', false)
    .option('--json', 'results alone on stdout', false)
    .parse()
    .opts()
  const exact = checkExact ? { verifier: 'exact' as const, temperature: 0 } : {}
  const chosen = flags.modes ?? [...modes]
  return {
    ...flags,
    ...exact,
    modes: [...new Set<Mode>([...(checkExact ? ['ar' as const] : []), ...chosen])],
    adaptive: !fixedDepth,
    checkExact,
  }
}
