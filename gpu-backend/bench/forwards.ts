/** What a packed forward of several tokens costs, against one of a single token. */
import type { WeightType } from '../src/graph/index.ts'
import { causalRow, Model, type Row } from '../src/model/index.ts'
import { rotated, spread, type Spread } from './statistics.ts'

export const packedSizes = [1, 2, 4, 8, 16, 32, 64]

export interface ForwardCost {
  /** New tokens of the one request. */
  tokens: number
  ms: Spread
  /** Of the medians; 1 for a single token. */
  relative: number
}

export interface ForwardOptions {
  folder: string
  weights: WeightType
  threads: number
  /** Forwards of each size. */
  rounds: number
  /** Tokens that already stand in the pool. Default 300. */
  context?: number
}

export async function forwardCosts(options: ForwardOptions): Promise<ForwardCost[]> {
  const { folder, weights, threads, rounds, context = 300 } = options
  using model = await Model.load(folder, { slots: 1024, weights, threads })
  await model.forward([tokensAfter(0, context)])
  const times = new Map<number, number[]>(packedSizes.map((tokens) => [tokens, []]))
  const warmUp = 3
  for (let turn = -warmUp; turn < rounds; turn++)
    for (const tokens of rotated(packedSizes, turn + warmUp)) {
      const row = tokensAfter(context, tokens)
      const started = performance.now()
      await model.forward([row])
      if (turn >= 0) times.get(tokens)!.push(performance.now() - started)
    }
  const costs = packedSizes.map((tokens) => ({ tokens, ms: spread(times.get(tokens)!) }))
  return costs.map((cost) => ({ ...cost, relative: cost.ms.median / costs[0]!.ms.median }))
}

/** `count` tokens after those of slots 0 to `start` - 1, in the slots that follow; all logits are wanted. */
export function tokensAfter(start: number, count: number): Row {
  const places = Array.from({ length: count }, (_, i) => start + i)
  const tokens = places.map((place) => (place * 7) % 100)
  return causalRow(tokens, places, [...Array(start).keys()])
}
