import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Precision } from '../graph/index.ts'
import { causalRow, Model, joinedLogits, type Row } from './index.ts'

const fixtures = path.join(import.meta.dirname, '../../fixtures')
const { ids } = JSON.parse(readFileSync(path.join(fixtures, 'families/reference.json'), 'utf8')) as { ids: number[] }
const text = ids.slice(0, 48)
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(path.join(fixtures, 'tiny-qwen3'), path.join(root, 'qwen3'), { recursive: true })
  for (const family of ['qwen2', 'llama', 'mistral']) {
    await cp(path.join(fixtures, 'families', family), path.join(root, family), { recursive: true })
    await cp(path.join(fixtures, 'families/tokenizer'), path.join(root, family), { recursive: true })
  }
})
afterAll(() => rm(root, { recursive: true }))

const load = (name: string, precision: Partial<Precision> = {}) =>
  Model.load(path.join(root, name), { slots: 2048, ...precision, cacheDir: path.join(root, 'cache') })

const logitsOf = async (model: Model, rows: readonly Row[]) => joinedLogits(await model.forward(rows))

/** The size of the difference, relative to the size of the logits (root mean squares). */
function distance(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  const size = (f: (i: number) => number) => Math.sqrt(a.reduce((sum, _, i) => sum + f(i) ** 2, 0))
  return size((i) => a[i]! - b[i]!) / size((i) => b[i]!)
}

/*
 * Random weights are the hardest case: nothing in them is redundant. Measured on these checkpoints: 0.024 to 0.058 in int8,
 * 0.33 to 0.51 in int4; on a trained draft of 1.5 M parameters 0.006 and 0.064. What a packing mistake gives is above 1.
 */
describe.each(['qwen3', 'qwen2', 'llama', 'mistral'])('%s', (name) => {
  const logits = async (precision?: Partial<Precision>) => {
    using model = await load(name, precision)
    return await logitsOf(model, [causalRow(text, range(0, text.length))])
  }

  test('half precision gives the logits of fp32, within the rounding of the weights', async () => {
    const exact = await logits()
    expect(distance(await logits({ weights: 'fp16' }), exact)).toBeLessThan(2e-3)
    expect(distance(await logits({ weights: 'bf16' }), exact)).toBeLessThan(2e-2)
  })

  test('activations in half precision, as CUDA has them, add no more than their own rounding', async () => {
    for (const [weights, most] of [
      ['fp16', 5e-3],
      ['int8', 0.1],
    ] as const)
      expect(distance(await logits({ weights, activations: 'float16' }), await logits({ weights }))).toBeLessThan(most)
  })

  test('int8 gives nearly the logits of fp32, int4 roughly', async () => {
    const exact = await logits({ weights: 'fp32' })
    expect(distance(await logits(), exact)).toBe(0)
    const int8 = distance(await logits({ weights: 'int8' }), exact)
    const int4 = distance(await logits({ weights: 'int4' }), exact)
    expect(int8).toBeLessThan(0.1)
    expect(int4).toBeLessThan(0.7)
    // Were they equal, weights would not have been quantised as asked.
    expect(int8).toBeGreaterThan(1e-3)
    expect(int4).toBeGreaterThan(2 * int8)
  })
})

/*
 * One token and several go through other sums, which differ in the last bit of a float. Rarely that bit decides how an
 * activation is rounded to 8 bits, and the difference grows: 0.002 is the most that was measured (int8, trained draft);
 * on these checkpoints 2.5e-7, as in fp32. Forwards of two tokens and more gave identical logits, however they were cut.
 */
const tolerance = 0.01

const precisions: Partial<Precision>[] = [
  { weights: 'fp16' },
  { weights: 'bf16' },
  { weights: 'int8' },
  { weights: 'int4' },
  { weights: 'fp16', activations: 'float16' },
  { weights: 'int8', activations: 'float16' },
]
describe.each(precisions)('a packed forward in $weights, activations $activations', (precision) => {
  let model: Model
  let whole: Float32Array
  beforeAll(async () => {
    model = await load('qwen3', precision)
    whole = await logitsOf(model, [causalRow(text, range(1000, text.length))])
  })
  afterAll(() => model.close())

  const part = (logits: Float32Array, from: number, count: number) =>
    logits.slice(from * model.config.vocabSize, (from + count) * model.config.vocabSize)

  test('one token at a time, in slots without order', async () => {
    const context: number[] = []
    for (const [i, id] of text.entries()) {
      const slot = (i * 577 + 3) % 2048
      const logits = await logitsOf(model, [causalRow([id], [slot], context)])
      context.push(slot)
      expect(distance(logits, part(whole, i, 1))).toBeLessThan(tolerance)
    }
  })

  test('a tree of two branches that share a context, each as if alone', async () => {
    const context = range(300, 20)
    await model.forward([causalRow(text.slice(0, 20), context)])
    // The branches' tokens alternate; a branch sees the context and its own tokens.
    const tokens = [5, 8, 6, 9]
    const tree: Row = {
      tokens,
      positions: [20, 20, 21, 21],
      writeSlots: range(40, 4),
      keySlots: [...context, ...range(40, 4)],
      sees: [
        [[0, 21]],
        [
          [0, 20],
          [21, 22],
        ],
        [
          [0, 21],
          [22, 23],
        ],
        [
          [0, 20],
          [21, 22],
          [23, 24],
        ],
      ],
      logitRows: range(0, 4),
    }
    const logits = await logitsOf(model, [tree])
    for (const branch of [0, 1]) {
      const own = [tokens[branch]!, tokens[branch + 2]!]
      const alone = await logitsOf(model, [causalRow([...text.slice(0, 20), ...own], range(600, 22))])
      for (const step of [0, 1])
        expect(distance(part(logits, branch + 2 * step, 1), part(alone, 20 + step, 1))).toBeLessThan(tolerance)
    }
  })

  test('two rows of different lengths, each as if alone', async () => {
    const [contextA, contextB] = [range(0, 37).map((i) => 2 * i), range(0, 14).map((i) => 1777 - 3 * i)]
    await model.forward([causalRow(text.slice(0, 37), contextA), causalRow(text.slice(0, 14), contextB)])
    const logits = await logitsOf(model, [
      causalRow(text.slice(37, 40), [1, 1900, 3], contextA),
      causalRow(text.slice(14, 16), [5, 1901], contextB),
    ])
    expect(distance(part(logits, 0, 3), part(whole, 37, 3))).toBeLessThan(tolerance)
    expect(distance(part(logits, 3, 2), part(whole, 14, 2))).toBeLessThan(tolerance)
  })
})
