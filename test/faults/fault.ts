/** What can go wrong between two servers, drawn by a seed. */

export const linkFaults = [
  // Of the connection.
  'refuse',
  'reset',
  'truncate',
  'stall',
  'mute',
  'bad gateway',
  // Of the call.
  'late call',
  'double call',
  // Of events.
  'delay',
  'tear event',
  'drop event',
  'double event',
  'swap events',
  'garble event',
] as const
export type LinkFault = (typeof linkFaults)[number]

export const processFaults = ['kill backend', 'drain backend', 'stop backend', 'kill worker'] as const
export type ProcessFault = (typeof processFaults)[number]

/** Where a fault strikes: between app and worker, or between worker and backend. */
export type Place = 'app' | 'backend'

/** One fault of a connection: it strikes the call, or the `event`-th event of its answer, where there is one. */
export interface Strike {
  kind: LinkFault
  event: number
  /** Milliseconds, of those that delay. */
  ms: number
}

/** Numbers from 0 to 1 that a seed fixes (mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

export const pick = <T>(items: readonly T[], next: () => number): T => items[Math.floor(next() * items.length)]!

/** Silence costs its run the whole of a time limit, so there is less of it. */
const slow: ReadonlySet<LinkFault> = new Set(['stall', 'mute'])

export function drawStrike(next: () => number): Strike {
  const first = pick(linkFaults, next)
  const kind = slow.has(first) && next() < 0.7 ? 'reset' : first
  return { kind, event: Math.floor(12 * next() ** 2), ms: 20 + Math.floor(300 * next()) }
}
