import { lookaheadOf, refused } from '../lookahead-options.ts'
import type { Ablation, Variant } from './ablations.ts'

/** A variant as it is called in what is written: `depth 3`. */
export const nameOf = ({ lookahead, ...flags }: Variant): string =>
  Object.entries({ ...flags, ...lookahead })
    .map(([option, value]) => `${option} ${value}`)
    .join(', ')

/** Why a variant cannot be asked for yet, `undefined` where it can. */
export function missing(variant: Variant): string | undefined {
  const lookahead = lookaheadOf(variant)
  return lookahead && refused(lookahead)
}

/** Flags of `npm run bench` for a variant, apart from where its runs go. */
export function flagsOf({ base, modes }: Ablation, variant: Variant, common: readonly string[]): string[] {
  const { lookahead, fixedDepth, ...flags } = { ...base, ...variant }
  return [
    ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
    ...(fixedDepth ? ['--fixed-depth'] : []),
    ...(modes === 'all' ? [] : ['--modes', modes.join(',')]),
    ...(lookahead
      ? [
          '--lookahead',
          Object.entries(lookahead)
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
        ]
      : []),
    ...common,
  ]
}
