import type { Comparison } from './comparison.ts'
import type { ForwardCost } from './forwards.ts'
import type { BenchModel, BenchOptions } from './options.ts'
import type { OperatorRow, ScriptProfile } from './profile.ts'
import type { Throughput } from './throughput.ts'

/** The precisions that are measured. */
export const precisions = ['fp32', 'int8'] as const
export type Precision = (typeof precisions)[number]

export interface Case {
  model: BenchModel
  precision: Precision
}

export interface Results {
  options: BenchOptions
  comparison: (Case & { variants: Comparison[] })[]
  /** `operations` of a token, as in arithmetic.ts. */
  forwards: (Case & { operations: number; costs: ForwardCost[] })[]
  /** In floating-point operations a second. */
  arithmetic: number | undefined
  /** In bytes a second; `share` is of that. */
  bandwidth: { read: number; decoding: (Case & { weightBytes: number; share: number })[] } | undefined
  throughput: (Case & { waves: Throughput[] })[]
  /** The engine's own JavaScript is the same for all models: demo stands for it. */
  profile: (Case & { operators: OperatorRow[]; script: ScriptProfile | undefined })[]
}
