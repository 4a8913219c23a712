import { chain } from './chain.ts'
import { ends, halfStep } from './rules/index.ts'
import { accepted, rejected } from './verifier.ts'
import type { Verifier } from './verifier.ts'

export interface RandomOptions {
  /** Of acceptance. Default 0.5. */
  probability?: number | undefined
  /** Another one accepts other steps. Default 0. */
  seed?: number | undefined
}

/**
 * A coin for each drafted step, whatever it says: what a verifier is worth shows against one that knows nothing (the paper's
 * ablation, §4.3). The same text and seed always fall the same way.
 */
export function random({ probability = 0.5, seed = 0 }: RandomOptions = {}): Verifier {
  return chain('random', halfStep, ends, {
    name: 'random',
    rule: ({ draft, target }) => {
      if (!target.end) return undefined
      return unit(`${seed}/${draft.text}`) < probability ? accepted('random') : rejected('random')
    },
  })
}

/** A number in [0, 1) from a text: FNV-1a, finished with murmur3's mixer. */
function unit(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
