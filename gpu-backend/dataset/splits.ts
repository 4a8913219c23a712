import { hash, type Random } from './random.ts'

export type Split = 'train' | 'validation' | 'test'

/** Of 100 buckets, 0–4 are test, 5–6 validation, the rest training. */
function bucket(key: string): Split {
  const place = hash(key) % 100
  return place < 5 ? 'test' : place < 7 ? 'validation' : 'train'
}

/**
 * The split that a problem's numbers belong to. A family and a tuple of numbers lie in exactly one split, so no test
 * problem can be a training problem with other names or another wording.
 */
export function splitOfNumbers(family: string, numbers: readonly number[]): Split {
  return bucket(`${family}:${numbers.join(',')}`)
}

// Names are two syllables, so a held-out name is a new combination of known tokens.
export const NAME_STARTS = 'Ma Ti Lo Re Sa Jo Ka Ni El An Be Da Fe Gi Ha Mi Vi Ro Su Le'.split(' ')
export const NAME_ENDS = 'ra na lin ro mi vi ko la ren da sa to bel ki dan ty mo'.split(' ')

const NAMES: Record<Split, string[]> = { train: [], validation: [], test: [] }
for (const start of NAME_STARTS) {
  for (const end of NAME_ENDS) {
    const place = hash(`name:${start}${end}`) % 10
    NAMES[place < 2 ? 'test' : place < 3 ? 'validation' : 'train'].push(start + end)
  }
}

/** The names of a split; no name occurs in two splits. */
export function namesOf(split: Split): readonly string[] {
  return NAMES[split]
}

/** `count` different names of a split. */
export function drawNames(random: Random, split: Split, count: number): string[] {
  return random.several(NAMES[split], count)
}
