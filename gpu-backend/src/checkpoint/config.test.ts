import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Checkpoint, readDecoderConfig, readGenerationConfig } from './index.ts'

const tiny = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(tiny, folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

async function change(name: string, changes: Record<string, unknown>): Promise<void> {
  const file = path.join(folder, name)
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...changes }))
}

test('reads the shape of the model', async () => {
  expect(await readDecoderConfig(tiny)).toEqual({
    modelType: 'qwen3',
    vocabSize: 261,
    hiddenSize: 32,
    intermediateSize: 48,
    layers: 2,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    normEpsilon: 1e-5,
    ropeTheta: 1e6,
    maxPositions: 512,
    tiedEmbeddings: false,
    qkNorm: true,
  })
})

test('finds the rotary base where older checkpoints keep it', async () => {
  await change('config.json', { rope_parameters: undefined, rope_scaling: null, rope_theta: 5e5 })
  expect(await readDecoderConfig(folder)).toMatchObject({ ropeTheta: 5e5 })
})

test.each([
  [{ model_type: 'gpt2' }, 'gpt2'],
  [{ hidden_act: 'gelu' }, 'gelu'],
  [{ attention_bias: true }, 'attention_bias'],
  [{ use_sliding_window: true }, 'sliding'],
  [{ rope_parameters: { rope_type: 'yarn', rope_theta: 1e6 } }, 'yarn'],
  [{ quantization_config: { bits: 4 } }, 'quantised'],
  [{ num_key_value_heads: 3 }, 'heads'],
])('refuses %j by name', async (changes, word) => {
  await change('config.json', changes)
  const result = readDecoderConfig(folder)
  await expect(result).rejects.toMatchObject({ name: 'ModelError', code: 'unsupported' })
  await expect(result).rejects.toThrow(word)
})

test('names what is missing or broken', async () => {
  await expect(readDecoderConfig('/nowhere')).rejects.toMatchObject({ code: 'not_found' })
  await change('config.json', { hidden_size: 'wide' })
  await expect(readDecoderConfig(folder)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('hidden_size'),
  })
  await writeFile(path.join(folder, 'config.json'), '{')
  await expect(readDecoderConfig(folder)).rejects.toMatchObject({ code: 'invalid' })
  await rm(path.join(folder, 'config.json'))
  await expect(readDecoderConfig(folder)).rejects.toMatchObject({ code: 'not_found' })
})

test('reads how to sample, and what ends a text', async () => {
  expect(await readGenerationConfig(tiny)).toEqual({ eosTokenIds: [258, 256], temperature: 0.6, topP: 0.95, topK: 20 })
  await rm(path.join(folder, 'generation_config.json'))
  await change('config.json', { eos_token_id: 258 })
  expect(await readGenerationConfig(folder)).toEqual({ eosTokenIds: [258] })
})

test('reads tensors from every shard, and checks their shapes', async () => {
  const checkpoint = await Checkpoint.open(tiny)
  expect(await checkpoint.read('model.embed_tokens.weight', [261, 32])).toHaveLength(261 * 32)
  expect(await checkpoint.read('model.norm.weight', [32])).toHaveLength(32)
  await expect(checkpoint.read('model.norm.weight', [33])).rejects.toMatchObject({ code: 'invalid' })
  await expect(checkpoint.read('model.norm.bias', [32])).rejects.toMatchObject({ code: 'invalid' })
  await checkpoint.close()
})

test('names a shard that is missing', async () => {
  const shard = path.join(folder, 'model-00002-of-00002.safetensors')
  await rm(shard)
  await expect(Checkpoint.open(folder)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining(shard),
  })
})
