/** The ablations of docs/results: each varies one thing, and leaves all else as it is. */
import { verifiers } from '@lookahead/sdk/protocol'
import type { Mode } from '@lookahead/sdk'
import { pairs } from '../options.ts'
import type { LookaheadFlags } from '../lookahead-options.ts'

/** Flags of `npm run bench`. */
export interface Variant extends LookaheadFlags {
  verifier?: string
  depth?: number
  fixedDepth?: true
  rtt?: number
  pair?: string
  weights?: string
  threads?: number
  concurrency?: number
}

export interface Ablation {
  /** Name of its files. */
  name: string
  /** What it asks. */
  title: string
  modes: readonly Mode[] | 'all'
  /** What all variants have in common. */
  base?: Variant
  variants: readonly Variant[]
}

const steps: readonly Mode[] = ['ar', 'sd', 'lr', 'lr+sd']
const each = <const T>(values: readonly T[], variant: (value: T) => Variant): Variant[] => values.map(variant)

export const ablations: readonly Ablation[] = [
  {
    name: 'verifiers',
    title: 'Accuracy and speed by verifier (table 2 of the paper)',
    modes: steps,
    variants: each([...verifiers, 'embedding'], (verifier) => ({ verifier })),
  },
  {
    name: 'depth',
    title: 'Speedup by depth (figure 2 of the paper)',
    modes: steps,
    base: { fixedDepth: true },
    variants: each([1, 2, 3, 4, 5, 6, 7, 8], (depth) => ({ depth })),
  },
  {
    name: 'width',
    title: 'Accuracy and speed by width (table 3 of the paper)',
    modes: ['ar', 'lr', 'lr+sd'],
    base: { fixedDepth: true, depth: 4 },
    variants: each([1, 2, 4], (width) => ({ width })),
  },
  {
    name: 'tokens',
    title: 'Speedup by tokens guessed, and by parallel budget (figure 3 of the paper)',
    modes: steps,
    base: { fixedDepth: true },
    variants: [1, 3, 7].flatMap((depth) => each([1, 3, 7, 15], (tokens) => ({ depth, tokens }))),
  },
  {
    name: 'overlap',
    title: 'Cycles that wait for each other at the worker, that follow one another at the engine, and that overlap',
    modes: steps,
    variants: [
      { lookahead: { pipelined: false, overlap: false } },
      { lookahead: { pipelined: true, overlap: false } },
      { lookahead: { pipelined: true, overlap: true } },
    ],
  },
  {
    name: 'coupling',
    title: 'Draft and target that draw with the same noise, and independently of each other',
    modes: steps,
    variants: each([true, false], (coupled) => ({ lookahead: { coupled } })),
  },
  {
    name: 'round-trip',
    title: 'Speedup by round-trip time between worker and backend',
    modes: 'all',
    variants: each([0, 20, 60], (rtt) => ({ rtt })),
  },
  {
    name: 'pair',
    title: 'A draft near to the target, and one far from it',
    modes: 'all',
    variants: each(pairs, (pair) => ({ pair })),
  },
  {
    name: 'concurrency',
    title: 'Speedup by clients at a time',
    modes: 'all',
    variants: each([1, 4, 16], (concurrency) => ({ concurrency })),
  },
  {
    name: 'cores',
    title: 'Speedup at equal cores: plain decoding has the same ones, and nothing else to do',
    modes: 'all',
    variants: each([1, 2], (threads) => ({ threads })),
  },
  {
    name: 'weights',
    title: 'Speedup by precision of the weights: against the fastest plain decoding there is on the same cores',
    modes: 'all',
    variants: each(['fp32', 'int8'], (weights) => ({ weights })),
  },
]
