import { parseArgs } from 'node:util'
import type { LoadOptions } from './load.ts'

export interface Flags extends LoadOptions {
  json: boolean
}

export const help = `npm run load -- [flags]

Clients with requests of every kind on one backend; exits with 1 when an answer is not the one given alone, or something is left behind.

  --clients N   at the same time (default 64)
  --minutes M   for how long requests are begun (default 3)
  --seed S      fixes the requests and what each client sends (default 0)
  --slots N     token slots of each model (default: the backend's)
  --json        the report alone on stdout`

/** `/health` must answer within this time, whatever the load. */
const HEALTH_MS = 2_000

/** @throws {TypeError} for a flag that cannot be meant */
export function readFlags(args: string[]): Flags | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: 'string', default: '64' },
      minutes: { type: 'string', default: '3' },
      seed: { type: 'string', default: '0' },
      slots: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) throw new TypeError(`--minutes takes a number above 0, not "${values.minutes}"`)
  return {
    clients: whole('clients', values.clients, 1),
    seconds: minutes * 60,
    seed: values.seed,
    // The longest request must fit when it is alone.
    slots: values.slots === undefined ? undefined : whole('slots', values.slots, 2048),
    healthMs: HEALTH_MS,
    json: values.json,
  }
}

function whole(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least) throw new TypeError(`--${flag} takes a whole number from ${least} up`)
  return value
}
