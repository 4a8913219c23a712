import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDecoderConfig, type DecoderConfig } from '../../src/checkpoint/index.ts'
import { Model, joinedLogits } from '../../src/model/index.ts'
import { IoBinding, Session, Tensor, type ElementType } from '../../src/onnxruntime/index.ts'
import { tokensAfter } from '../forwards.ts'
import { writeOnnxExport } from './onnx-export.ts'

const checkpoint = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')

let folder: string
let config: DecoderConfig
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  config = await readDecoderConfig(checkpoint)
})
afterAll(() => rm(folder, { recursive: true }))

/** What transformers.js does: every forward is given the cache that the last one returned. */
class CachedDecoder {
  readonly #session: Session
  #cache: Float32Array[]
  #past = 0

  constructor(session: Session) {
    this.#session = session
    this.#cache = Array.from({ length: 2 * config.layers }, () => new Float32Array(0))
  }

  forward(tokens: readonly number[]): Float32Array {
    const { vocabSize, layers, kvHeads, headDim } = config
    const total = this.#past + tokens.length
    const binding = new IoBinding(this.#session)
    const bind = (name: string, type: ElementType, data: Float32Array | Int32Array, shape: number[]) =>
      binding.bindInput(name, new Tensor(type, data, shape))
    const int64 = (values: readonly number[]) => Int32Array.from(values.flatMap((value) => [value, 0]))
    bind('input_ids', 'int64', int64(tokens), [1, tokens.length])
    bind('attention_mask', 'int64', int64(Array.from({ length: total }, () => 1)), [1, total])
    const grown = this.#cache.map(() => new Float32Array(kvHeads * total * headDim))
    for (let i = 0; i < 2 * layers; i++) {
      const name = `${Math.floor(i / 2)}.${i % 2 === 0 ? 'key' : 'value'}`
      bind(`past_key_values.${name}`, 'float32', this.#cache[i]!, [1, kvHeads, this.#past, headDim])
      binding.bindOutput(`present.${name}`, new Tensor('float32', grown[i]!, [1, kvHeads, total, headDim]))
    }
    const logits = new Float32Array(tokens.length * vocabSize)
    binding.bindOutput('logits', new Tensor('float32', logits, [1, tokens.length, vocabSize]))
    this.#session.run(binding)
    this.#cache = grown
    this.#past = total
    return logits
  }
}

/** The largest difference, and the largest size of a logit. */
function compared(a: Float32Array, b: Float32Array) {
  expect(a.length).toBe(b.length)
  const most = (f: (i: number) => number) => a.reduce((largest, _, i) => Math.max(largest, Math.abs(f(i))), 0)
  return { difference: most((i) => a[i]! - b[i]!), size: most((i) => b[i]!) }
}

test.each(['fp32', 'int8'] as const)(
  'the export in %s gives the engine its own logits, token by token',
  async (weights) => {
    const target = path.join(folder, weights)
    await writeOnnxExport(checkpoint, target, weights)
    using model = await Model.load(checkpoint, { slots: 64, weights, cacheDir: path.join(folder, 'cache') })
    const row = tokensAfter(0, 9)
    const expected = joinedLogits(await model.forward([row]))
    using session = await Session.open(path.join(target, 'onnx/model.onnx'), { threads: 1 })
    const decoder = new CachedDecoder(session)
    const pieces = [row.tokens.slice(0, 5), ...row.tokens.slice(5).map((token) => [token])]
    const logits = Float32Array.from(pieces.flatMap((tokens) => [...decoder.forward(tokens)]))
    const { difference, size } = compared(logits, expected)
    // The engine has the heads in another order, so that these, of 16 numbers, share their blocks of 32 with others.
    expect(difference).toBeLessThan((weights === 'fp32' ? 1e-5 : 0.04) * size)
  },
)
