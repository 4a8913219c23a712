import { decimal, script, some, whole } from '@lookahead/gpu-backend/flags'
import type { LoadOptions } from './load.ts'

export interface Flags extends LoadOptions {
  json: boolean
}

/** `/health` must answer within this time, whatever the load. */
const HEALTH_MS = 2_000

export function readFlags(): Flags {
  const { minutes, ...flags } = script(
    'load',
    'Clients with requests of every kind on one backend; exits with 1 when an answer is not the one given alone, or something is left behind.',
  )
    .option('--clients <n>', 'at the same time', whole(1), 64)
    .option('--minutes <m>', 'for how long requests are begun', decimal(0.01), 3)
    .option('--seed <s>', 'fixes the requests and what each client sends', some, '0')
    // The longest request must fit when it is alone.
    .option('--slots <n>', "token slots of each model (default: the backend's)", whole(2048))
    .option('--json', 'the report alone on stdout', false)
    .parse()
    .opts()
  return { ...flags, seconds: minutes * 60, healthMs: HEALTH_MS }
}
