/** Tokens a second of several requests at once, each decoded plainly to its end through the engine's own API. */
import { decodePlainly } from './contenders/lookahead.ts'
import type { Engine } from '../src/engine/engine.ts'
import { spread, type Spread } from './statistics.ts'

export interface Throughput {
  requests: number
  /** Of all requests together. */
  tokensPerSecond: Spread
  /** Of the medians, against one request at a time. */
  relative: number
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
  const wave = async (requests: number, round: number): Promise<number> => {
    const chosen = Array.from({ length: requests }, (_, i) => prompts[(round * requests + i) % prompts.length]!)
    const started = performance.now()
    const outputs = await Promise.all(chosen.map((prompt) => decodePlainly(engine, prompt, maxTokens)))
    const tokens = outputs.reduce((sum, output) => sum + output.tokens.length, 0)
    return (1000 * tokens) / (performance.now() - started)
  }
  await wave(2, 0)
  const speeds = new Map<number, number[]>(concurrency.map((requests) => [requests, []]))
  for (let round = 0; round < rounds; round++)
    for (const requests of concurrency) speeds.get(requests)!.push(await wave(requests, round))
  const results = concurrency.map((requests) => ({ requests, tokensPerSecond: spread(speeds.get(requests)!) }))
  const alone = results[0]!.tokensPerSecond.median
  return results.map((result) => ({ ...result, relative: result.tokensPerSecond.median / alone }))
}
