/** Plain decoding at temperature 0: the same weights, prompts and threads in every runtime, in turns. */
import { existsSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { WeightType } from '../src/graph/index.ts'
import { comparisons, type Variant } from './contenders/contender.ts'
import { ContenderProcess, type Generated } from './contenders/process.ts'
import { writeGgufCheckpoint } from './convert/gguf-checkpoint.ts'
import type { TensorType } from './convert/gguf.ts'
import { writeOnnxExport } from './convert/onnx-export.ts'
import { rotated, spread, type Spread } from './statistics.ts'

export interface ComparisonOptions {
  /** The checkpoint. */
  folder: string
  precision: keyof typeof comparisons
  prompts: readonly (readonly number[])[]
  maxTokens: number
  threads: number
  /** For the model in the other runtimes' formats. */
  workFolder: string
  /** Why the other runtimes are left out, if they are. */
  without?: string | undefined
}

export type Comparison = { name: string } & (
  | {
      /** Generated tokens over the time of the whole request, the prompt's forward included. */
      tokensPerSecond: Spread
      /** Speed over that of the first variant, prompt by prompt. */
      relative: Spread
      /** Prompts on which the tokens are those of the first variant. */
      equal: number
      prompts: number
    }
  | { unavailable: string }
)

/** Threads of the runtime whose turn it was may still spin; the next turn waits until they sleep. */
export const settleMs = 20

export async function compare(options: ComparisonOptions): Promise<Comparison[]> {
  const { prompts, maxTokens, threads } = options
  const open = new Map<Variant, ContenderProcess>()
  const failures = new Map<Variant, string>()
  const results = new Map<Variant, Generated[]>()
  const variants = comparisons[options.precision].filter((variant) => variant.threads !== threads)
  try {
    for (const variant of variants) {
      try {
        if (variant.runtime !== 'lookahead' && options.without) throw new Error(options.without)
        const model = await convert(variant, options)
        open.set(variant, await ContenderProcess.open(variant, { model, threads: variant.threads ?? threads }))
        results.set(variant, [])
      } catch (error) {
        if (variant.runtime === 'lookahead') throw error
        failures.set(variant, (error as Error).message)
      }
    }
    // None of the prompts: what was run may be kept.
    for (const contender of open.values()) await contender.generate(prompts[0]!.toReversed(), maxTokens)
    for (const [turn, prompt] of prompts.entries())
      for (const [variant, contender] of rotated([...open], turn)) {
        await wait(settleMs)
        results.get(variant)!.push(await contender.generate(prompt, maxTokens))
      }
  } finally {
    for (const contender of open.values()) await contender.close().catch(() => undefined)
  }
  const reference = results.get(variants[0]!)!
  return variants.map((variant) => {
    const unavailable = failures.get(variant)
    return unavailable === undefined
      ? { name: variant.name, ...summary(results.get(variant)!, reference) }
      : { name: variant.name, unavailable }
  })
}

function summary(results: readonly Generated[], reference: readonly Generated[]) {
  const speed = ({ tokens, ms }: Generated) => (1000 * tokens.length) / ms
  return {
    tokensPerSecond: spread(results.map(speed)),
    relative: spread(results.map((result, i) => speed(result) / speed(reference[i]!))),
    equal: results.filter((result, i) => result.tokens.join() === reference[i]!.tokens.join()).length,
    prompts: results.length,
  }
}

/** The model in the runtime's own format, written at the first call. @returns its path */
async function convert({ runtime, weights }: Variant, { folder, workFolder }: ComparisonOptions): Promise<string> {
  const home = path.join(workFolder, `${path.basename(folder)}-${runtime}-${weights}`)
  if (existsSync(home)) return home
  if (runtime === 'node-llama-cpp') await writeGgufCheckpoint(folder, home, weights as TensorType)
  else if (runtime === 'transformers.js') await writeOnnxExport(folder, home, weights as WeightType)
  else {
    await mkdir(home)
    await symlink(folder, path.join(home, 'target'), 'junction')
  }
  return home
}
