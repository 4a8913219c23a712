/** The engine against what a user would pick instead; `npm run bench:engine -- --help` lists the flags. */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { testProblems } from '../dataset/index.ts'
import { readDecoderConfig } from '../src/checkpoint/index.ts'
import { Engine } from '../src/engine/engine.ts'
import { Tokenizer } from '../src/tokenizer/index.ts'
import { readArithmetic, tokenOperations } from './arithmetic.ts'
import { readBandwidth, weightBytes } from './bandwidth.ts'
import { compare } from './comparison.ts'
import { install, installed } from './contenders/install.ts'
import { forwardCosts } from './forwards.ts'
import { readOptions, type BenchOptions } from './options.ts'
import { operatorTimes, scriptTimes } from './profile.ts'
import { print } from './report.ts'
import { precisions, type Results } from './results.ts'
import { throughput } from './throughput.ts'
import { writeWideModel } from './wide-model.ts'

const demo = path.join(import.meta.dirname, '../models/target')

const chosen = readOptions()
const temporary = await mkdtemp(path.join(tmpdir(), 'lookahead-bench-'))
process.once('SIGINT', () => {
  rmSync(temporary, { recursive: true, force: true })
  process.exit(130)
})
// Graphs of models that exist for this run alone must not stay in the user's cache.
process.env.LOOKAHEAD_CACHE = path.join(temporary, 'cache')
try {
  const results = await bench(chosen, temporary)
  if (chosen.json) console.log(JSON.stringify(results))
  else print(results)
} finally {
  await rm(temporary, { recursive: true, force: true })
}

async function bench(options: BenchOptions, workFolder: string): Promise<Results> {
  const { only, models, threads, quick } = options
  const usual = quick
    ? { prompts: 2, tokens: 24, rounds: 3, waves: 1, concurrency: [1, 2, 4] }
    : { prompts: 8, tokens: 96, rounds: 15, waves: 3, concurrency: [1, 2, 4, 8, 16, 32] }
  const scale = { ...usual, prompts: options.prompts ?? usual.prompts, tokens: options.tokens ?? usual.tokens }
  const wide = path.join(workFolder, 'wide')
  if (models.includes('wide')) await writeWideModel(wide, demo)
  const folders = { demo, wide }
  const cases = models.flatMap((model) => precisions.map((precision) => ({ model, precision })))
  const texts = await chats(32)
  const tokenizer = await Tokenizer.load(demo)
  const prompts = texts.slice(0, scale.prompts).map((text) => tokenizer.encode(text))
  const results: Results = {
    options,
    comparison: [],
    forwards: [],
    arithmetic: undefined,
    bandwidth: undefined,
    throughput: [],
    profile: [],
  }

  if (only.includes('comparison')) {
    const without = await missing(quick)
    for (const { model, precision } of cases) {
      say(`plain decoding, ${model} ${precision}`)
      const folder = folders[model]
      const common = { folder, precision, prompts, maxTokens: scale.tokens, threads, workFolder, without }
      results.comparison.push({ model, precision, variants: await compare(common) })
    }
  }
  if (only.includes('forwards') || only.includes('bandwidth')) {
    let arithmetic = 0
    for (const { model, precision } of cases) {
      say(`packed forwards, ${model} ${precision}`)
      const costs = await forwardCosts({ folder: folders[model], weights: precision, threads, rounds: scale.rounds })
      // Beside every case: a machine that is shared has slow moments.
      arithmetic = Math.max(arithmetic, await readArithmetic(threads, scale.rounds))
      const operations = tokenOperations(await readDecoderConfig(folders[model]))
      results.forwards.push({ model, precision, operations, costs })
    }
    results.arithmetic = arithmetic
  }
  if (only.includes('bandwidth')) {
    say('memory bandwidth')
    const read = await readBandwidth(threads, scale.rounds)
    const decoding = results.forwards.map(async ({ model, precision, costs }) => {
      const bytes = weightBytes(await readDecoderConfig(folders[model]), { weights: precision, activations: 'float32' })
      return { model, precision, weightBytes: bytes, share: (1000 * bytes) / costs[0]!.ms.median / read }
    })
    results.bandwidth = { read, decoding: await Promise.all(decoding) }
  }
  if (only.includes('throughput'))
    for (const precision of precisions) {
      say(`concurrent requests, demo ${precision}`)
      const engine = await Engine.load({ models: path.dirname(demo), threads, weights: precision })
      const { tokens: maxTokens, concurrency, waves: rounds } = scale
      const waves = await throughput({ engine, prompts: texts, maxTokens, concurrency, rounds })
      engine.close()
      results.throughput.push({ model: 'demo', precision, waves })
    }
  if (options.profile)
    for (const { model, precision } of cases) {
      say(`profile, ${model} ${precision}`)
      const { tokens } = scale
      const common = { weights: precision, threads }
      const operators = await operatorTimes({ ...common, folder: folders[model], rounds: tokens })
      const decoding = { models: path.dirname(demo), tokens, prompts: texts.slice(0, scale.prompts) }
      const script = model === 'demo' ? await scriptTimes({ ...common, ...decoding }) : undefined
      results.profile.push({ model, precision, operators, script })
    }
  return results
}

/** Why the other runtimes cannot be measured, if so, after an attempt to install them. */
async function missing(quick: boolean): Promise<string | undefined> {
  if (installed()) return undefined
  if (quick) return 'not installed: run once without --quick'
  return install().then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  )
}

/** Held-out questions as the demo model reads them. */
async function chats(count: number): Promise<string[]> {
  const tokenizer = await Tokenizer.load(demo)
  return testProblems(count).map(({ question }) =>
    tokenizer.renderChat([{ role: 'user', content: question }], { addGenerationPrompt: true }),
  )
}

function say(doing: string): void {
  console.error(`… ${doing}`)
}
