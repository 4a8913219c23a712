/**
 * Tokens a second of several requests, each decoded to its end through the engine's own API: one after another, all at once, and all at once
 * with token speculation. The same prompts each time, all new to the prefix cache.
 */
import { decodePlainly, type PlainText } from './contenders/lookahead.ts'
import type { Engine } from '../src/engine/engine.ts'
import { rotated, spread, type Spread } from './statistics.ts'

/** How a wave of requests is run. */
const ways = ['turns', 'together', 'speculated'] as const
type Way = (typeof ways)[number]

export interface Throughput {
  requests: number
  /** Of all requests together, in tokens a second. */
  tokensPerSecond: Record<Way, Spread>
  /** Of the medians: requests together against taking turns, and speculation against none. */
  relative: number
  speedup: number
}

export interface ThroughputOptions {
  engine: Engine
  /** As text. A wave takes as many as it has requests. */
  prompts: readonly string[]
  maxTokens: number
  concurrency: readonly number[]
  /** Waves of each concurrency. */
  rounds: number
}

export async function throughput(options: ThroughputOptions): Promise<Throughput[]> {
  const { engine, prompts, maxTokens, concurrency, rounds } = options
  const wave = async (way: Way, requests: number, round: number): Promise<number> => {
    for (const { runner } of engine.runners) runner.kv.prefixes.evict(Infinity)
    const chosen = Array.from({ length: requests }, (_, i) => prompts[(round * requests + i) % prompts.length]!)
    const decode = (prompt: string) => decodePlainly(engine, prompt, maxTokens, { speculate: way === 'speculated' })
    const started = performance.now()
    const outputs: PlainText[] = []
    if (way === 'turns') for (const prompt of chosen) outputs.push(await decode(prompt))
    else outputs.push(...(await Promise.all(chosen.map(decode))))
    const tokens = outputs.reduce((sum, output) => sum + output.tokens.length, 0)
    return (1000 * tokens) / (performance.now() - started)
  }
  const speeds = concurrency.map((requests) => ({
    requests,
    of: { turns: [] as number[], together: [] as number[], speculated: [] as number[] },
  }))
  for (const way of ways) await wave(way, 2, 0)
  for (let round = 0; round < rounds; round++)
    for (const { requests, of } of speeds)
      for (const way of rotated(ways, round)) of[way].push(await wave(way, requests, round))
  return speeds.map(({ requests, of }) => {
    const tokensPerSecond = {
      turns: spread(of.turns),
      together: spread(of.together),
      speculated: spread(of.speculated),
    }
    const { turns, together, speculated } = tokensPerSecond
    return {
      requests,
      tokensPerSecond,
      relative: together.median / turns.median,
      speedup: speculated.median / together.median,
    }
  })
}
