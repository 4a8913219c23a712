import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { weightBytes } from '../bench/bandwidth.ts'
import { tokensAfter } from '../bench/forwards.ts'
import { rotated, spread } from '../bench/statistics.ts'
import { formatBytes } from '../src/bytes.ts'
import type { WeightType } from '../src/graph/index.ts'
import { ModelRunner } from '../src/engine/model-runner.ts'
import { Model } from '../src/model/index.ts'
import { writeRandomModel } from './random-model.ts'
import type { CheckOptions } from './options.ts'
import { refusal, type Section } from './section.ts'
import { shapes, type Shape } from './shapes.ts'
import { textSpeed, writtenBy } from './texts.ts'

const packedSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256]
const contexts = [300, 4096]
const chunk = 512
/** Texts written at once. */
const waves = [1, 16]

/** What decoding costs at the shapes of real models. @param read bytes a second that the device's memory gives */
export async function speed(
  options: CheckOptions,
  read: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Section> {
  const section: Section = {
    title: 'Speed at the shapes of real models',
    about: `Random weights; medians of ${options.rounds} forwards, the likeliest tokens after every token brought to the host. The memory \
gives ${formatBytes(read)}/s in this run; the share is the weights' bytes × forwards of one token a second, over that. The last columns are whole texts: what the engine writes a second when it writes one, and 16 at once.`,
    rows: [],
    checks: [],
  }
  for (const shape of options.shapes)
    for (const weights of options.weights) {
      say(`${shape} in ${weights}`)
      const home = options.keep ?? (await mkdtemp(path.join(tmpdir(), 'lookahead-gpu-')))
      try {
        for await (const row of timed(home, shape, weights, options, read, signal)) {
          section.rows.push(row)
          say(JSON.stringify(row))
        }
        section.checks.push({ what: `${shape} in ${weights} runs`, passed: true })
      } catch (error) {
        section.checks.push({ what: `${shape} in ${weights} runs`, passed: false, seen: refusal(error) })
      } finally {
        if (options.keep === undefined) await rm(home, { recursive: true, force: true })
      }
    }
  return section
}

/** A row for each length of context, as soon as it is known. */
async function* timed(
  home: string,
  shape: Shape,
  weights: WeightType,
  { device, rounds, keep }: CheckOptions,
  read: number,
  signal: AbortSignal,
): AsyncGenerator<Section['rows'][number], void, undefined> {
  const [folder, cacheDir] = [path.join(home, shape), keep === undefined ? path.join(home, 'cache') : undefined]
  const started = performance.now()
  const bytes = await writeRandomModel(folder, cacheDir, shapes[shape], { device, weights }, signal)
  const written = performance.now()
  const slots = Math.max(...contexts) + writtenBy(Math.max(...waves))
  using model = await Model.load(folder, { slots, device, weights, cacheDir, signal })
  const setUp = {
    'on disk': formatBytes(bytes),
    's to write': (written - started) / 1000,
    's to load': (performance.now() - written) / 1000,
  }
  const decoded = weightBytes(model.config, model.precision)
  const runner = new ModelRunner(model, chunk)
  for (const context of contexts) {
    const row = { shape, weights, context, ...setUp }
    try {
      const ms = await forwardTimes(model, context, rounds, signal)
      const speeds: number[] = []
      for (const texts of waves) speeds.push(await textSpeed(runner, { context, texts, signal }))
      yield {
        ...row,
        'forwards of 1 token a second': 1000 / ms[0]!,
        'share of bandwidth': ((1000 / ms[0]!) * decoded) / read,
        ...Object.fromEntries(packedSizes.map((size, i) => [`ms of ${size}`, ms[i]!])),
        ...Object.fromEntries(waves.map((texts, i) => [`tokens/s of ${texts}`, speeds[i]!])),
      }
    } catch (error) {
      // A long context may be more than the memory holds: what was measured before it stays.
      if (context === contexts[0]) throw error
      yield { ...row, 'forwards of 1 token a second': `not measured: ${refusal(error)}` }
    }
  }
}

/** Medians, in milliseconds, of forwards of each size after so many tokens. */
async function forwardTimes(model: Model, context: number, rounds: number, signal: AbortSignal): Promise<number[]> {
  for (let from = 0; from < context; from += chunk)
    await model.forward([{ ...tokensAfter(from, Math.min(chunk, context - from)), logitRows: [] }])
  const times = new Map<number, number[]>(packedSizes.map((size) => [size, []]))
  const warmUp = 2
  for (let turn = -warmUp; turn < rounds; turn++)
    for (const size of rotated(packedSizes, turn + warmUp)) {
      signal.throwIfAborted()
      const row = { ...tokensAfter(context, size), reduced: { temperature: 1, suffices: () => true } }
      const started = performance.now()
      await model.forward([row])
      if (turn >= 0) times.get(size)!.push(performance.now() - started)
    }
  return packedSizes.map((size) => spread(times.get(size)!).median)
}
