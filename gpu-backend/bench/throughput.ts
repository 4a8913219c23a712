/** Tokens a second of several requests at once, each decoded to its end, plainly and with token speculation, through the engine's own API. */
import { decodePlainly } from './contenders/lookahead.ts'
import type { Engine } from '../src/engine/engine.ts'
import { spread, type Spread } from './statistics.ts'

export interface Throughput {
  requests: number
  /** Of all requests together. */
  tokensPerSecond: Spread
  /** The same with token speculation. */
  speculated: Spread
  /** Of the medians: requests together against one at a time, and speculation against none. */
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
  const wave = async (requests: number, round: number, speculate: boolean): Promise<number> => {
    const chosen = Array.from({ length: requests }, (_, i) => prompts[(round * requests + i) % prompts.length]!)
    const started = performance.now()
    const outputs = await Promise.all(chosen.map((prompt) => decodePlainly(engine, prompt, maxTokens, { speculate })))
    const tokens = outputs.reduce((sum, output) => sum + output.tokens.length, 0)
    return (1000 * tokens) / (performance.now() - started)
  }
  const speeds = concurrency.map((requests) => ({ requests, plain: [] as number[], speculated: [] as number[] }))
  for (const speculate of [false, true]) await wave(2, 0, speculate)
  for (let round = 0; round < rounds; round++)
    for (const { requests, plain, speculated } of speeds) {
      plain.push(await wave(requests, round, false))
      speculated.push(await wave(requests, round, true))
    }
  const alone = spread(speeds[0]!.plain).median
  return speeds.map(({ requests, ...of }) => {
    const [tokensPerSecond, speculated] = [spread(of.plain), spread(of.speculated)]
    const relative = tokensPerSecond.median / alone
    return { requests, tokensPerSecond, speculated, relative, speedup: speculated.median / tokensPerSecond.median }
  })
}
