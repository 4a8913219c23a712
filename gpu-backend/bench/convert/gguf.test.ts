import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Checkpoint, readDecoderConfig } from '../../src/checkpoint/index.ts'
import { Tokenizer } from '../../src/tokenizer/index.ts'
import { writeGgufCheckpoint } from './gguf-checkpoint.ts'
import { tensorTypes, writeGguf } from './gguf.ts'

const checkpointFolder = path.join(import.meta.dirname, '../../models/draft')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A reader of what the specification says, apart from the writer. */
async function readGguf(file: string) {
  const bytes = await readFile(file)
  let at = 0
  const take = (count: number) => bytes.subarray(at, (at += count))
  const uint32 = () => take(4).readUInt32LE()
  const uint64 = () => Number(take(8).readBigUInt64LE())
  const string = () => take(uint64()).toString()
  const value = (type: number): unknown => {
    if (type === 4) return uint32()
    if (type === 5) return take(4).readInt32LE()
    if (type === 6) return take(4).readFloatLE()
    if (type === 7) return take(1)[0] === 1
    if (type === 8) return string()
    if (type !== 9) throw new Error(`value type ${type}`)
    const element = uint32()
    return Array.from({ length: uint64() }, () => value(element))
  }
  expect(take(4).toString()).toBe('GGUF')
  expect(uint32()).toBe(3)
  const [tensorCount, valueCount] = [uint64(), uint64()]
  const metadata = Object.fromEntries(Array.from({ length: valueCount }, () => [string(), value(uint32())]))
  const infos = Array.from({ length: tensorCount }, () => {
    const name = string()
    const sizes = Array.from({ length: uint32() }, uint64)
    return { name, sizes, type: uint32(), offset: uint64() }
  })
  const data = Math.ceil(at / 32) * 32
  const tensors = new Map(
    infos.map(({ name, sizes, type, offset }) => {
      expect(offset % 32).toBe(0)
      const count = sizes.reduce((product, size) => product * size, 1)
      return [name, { sizes, values: () => decoded(type, bytes.subarray(data + offset), count) }]
    }),
  )
  return { metadata, tensors }
}

function decoded(type: number, bytes: Uint8Array, count: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const element = (i: number) => {
    if (type === 0) return view.getFloat32(4 * i, true)
    if (type === 1) return view.getFloat16(2 * i, true)
    if (type !== 8) throw new Error(`tensor type ${type}`)
    const block = 34 * Math.floor(i / 32)
    return view.getFloat16(block, true) * view.getInt8(block + 2 + (i % 32))
  }
  return Float32Array.from({ length: count }, (_, i) => element(i))
}

describe.each(tensorTypes)('a checkpoint in %s', (type) => {
  test('llama.cpp finds its hyperparameters, its tokens and the weights', async () => {
    const { layers, hiddenSize, intermediateSize, vocabSize, ropeTheta } = await readDecoderConfig(checkpointFolder)
    const file = path.join(folder, `${type}.gguf`)
    await writeGgufCheckpoint(checkpointFolder, file, type)
    const { metadata, tensors } = await readGguf(file)
    expect(metadata).toMatchObject({
      'general.architecture': 'qwen3',
      'qwen3.block_count': layers,
      'qwen3.embedding_length': hiddenSize,
      'qwen3.rope.freq_base': ropeTheta,
      'qwen3.attention.layer_norm_rms_epsilon': Math.fround(1e-6),
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.add_bos_token': false,
    })
    const tokens = metadata['tokenizer.ggml.tokens'] as string[]
    const tokenizer = await Tokenizer.load(checkpointFolder)
    expect(tokens).toHaveLength(vocabSize)
    expect(new Set(tokens).size).toBe(vocabSize)
    expect(tokens[tokenizer.encode(' the')[0]!]).toBe('Ġthe')
    expect(tokens[metadata['tokenizer.ggml.eos_token_id'] as number]).toBe('<|im_end|>')
    expect(metadata['tokenizer.ggml.merges']).toContain('Ġt he')

    expect(tensors.size).toBe(layers * 11 + 2)
    const embedding = tensors.get('token_embd.weight')!
    expect(embedding.sizes).toEqual([hiddenSize, vocabSize])
    await using checkpoint = await Checkpoint.open(checkpointFolder)
    const down = tensors.get('blk.0.ffn_down.weight')!
    for (const [stored, original] of [
      [embedding, await checkpoint.read('model.embed_tokens.weight', [vocabSize, hiddenSize])],
      [down, await checkpoint.read('model.layers.0.mlp.down_proj.weight', [hiddenSize, intermediateSize])],
    ] as const) {
      const largest = original.reduce((most, element) => Math.max(most, Math.abs(element)), 0)
      const error = stored.values().reduce((most, element, i) => Math.max(most, Math.abs(element - original[i]!)), 0)
      // The checkpoint is in float16 itself. Of 8 bits, rounding takes half a step of 1 / 127, the scale's a little more.
      if (type === 'q8_0') expect(error).toBeLessThan((0.51 / 127) * largest + 1e-4)
      else expect(error).toBe(0)
    }
    expect(tensors.get('output_norm.weight')!.sizes).toEqual([hiddenSize])
  })
})

test('rows that are not whole blocks cannot become q8_0', async () => {
  const tensor = {
    name: 'odd',
    shape: [2, 33],
    type: 'q8_0',
    read: () => Promise.resolve(new Float32Array(66)),
  } as const
  await expect(writeGguf(path.join(folder, 'odd.gguf'), {}, [tensor])).rejects.toThrow('rows of 33')
})
