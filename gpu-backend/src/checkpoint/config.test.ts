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
    ropeScaling: { type: 'default' },
    maxPositions: 512,
    tiedEmbeddings: false,
    qkNorm: true,
    qkvBias: false,
    outputBias: false,
    feedForwardBias: false,
    halfType: 'bf16',
  })
})

test('finds the rotary base where older checkpoints keep it', async () => {
  await change('config.json', { rope_parameters: undefined, rope_scaling: null, rope_theta: 5e5 })
  expect(await readDecoderConfig(folder)).toMatchObject({ ropeTheta: 5e5 })
})

const slides = { use_sliding_window: true, sliding_window: 511 }

test.each([
  [{ model_type: 'gpt2' }, 'gpt2'],
  [{ hidden_act: 'gelu' }, 'gelu'],
  [{ model_type: 'qwen3_moe' }, 'qwen3_moe'],
  [{ num_experts: 8 }, 'experts'],
  [{ mlp_bias: true }, 'mlp_bias'],
  [{ model_type: 'mistral', attention_bias: true }, 'attention_bias'],
  [{ ...slides, max_window_layers: 1, layer_types: null }, 'sliding window of 511'],
  [{ ...slides, max_window_layers: 0, layer_types: null }, 'sliding window of 511'],
  [{ ...slides, layer_types: ['full_attention', 'sliding_attention'] }, 'sliding window of 511'],
  [{ model_type: 'mistral', sliding_window: 256 }, 'sliding window of 256'],
  [{ model_type: 'mistral', sliding_window: undefined, max_position_embeddings: 8192 }, 'sliding window of 4096'],
  [{ rope_scaling: { rope_type: 'dynamic', factor: 2 } }, 'dynamic'],
  [{ rope_scaling: { type: 'longrope', factor: 2 } }, 'longrope'],
  [{ rope_scaling: { type: 'linear' } }, 'factor'],
  [{ rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1 } }, 'high_freq_factor'],
  [{ rope_parameters: { full_attention: { rope_theta: 1e6 } } }, 'full_attention'],
  [{ layer_types: ['full_attention', 'linear_attention'] }, 'linear_attention'],
  [{ partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
  [{ rope_parameters: { rope_theta: 1e6, partial_rotary_factor: 0.25 } }, 'partial_rotary_factor'],
  [{ quantization_config: { bits: 4 } }, 'quantised'],
  [{ quantization: { bits: 4 } }, 'quantised'],
  [{ compression_config: { format: 'int-quantized' } }, 'quantised'],
  [{ architectures: ['Qwen3ForSequenceClassification'] }, 'Qwen3ForSequenceClassification'],
  [{ is_causal: false }, 'both directions'],
  [{ model_type: 'constructor' }, 'constructor'],
  [{ num_key_value_heads: 3 }, 'heads'],
])('refuses %j by name', async (changes, word) => {
  await change('config.json', changes)
  const result = readDecoderConfig(folder)
  await expect(result).rejects.toMatchObject({ name: 'ModelError', code: 'unsupported' })
  await expect(result).rejects.toThrow(word)
})

test('accepts a sliding window that no text reaches', async () => {
  await change('config.json', { use_sliding_window: true, sliding_window: 512 })
  expect(await readDecoderConfig(folder)).toMatchObject({ maxPositions: 512 })
  await change('config.json', { model_type: 'mistral', use_sliding_window: undefined, sliding_window: null })
  expect(await readDecoderConfig(folder)).toMatchObject({ modelType: 'mistral' })
  await change('config.json', { model_type: 'qwen2', use_sliding_window: false, sliding_window: 8 })
  expect(await readDecoderConfig(folder)).toMatchObject({ modelType: 'qwen2' })
})

test.each([
  { layer_types: null },
  { layer_types: null, max_window_layers: 2 },
  { layer_types: null, max_window_layers: undefined },
  { layer_types: ['full_attention', 'full_attention'], max_window_layers: 0 },
  { model_type: 'qwen2', layer_types: undefined, max_window_layers: 3 },
])('accepts a sliding window in no layer: %j', async (changes) => {
  await change('config.json', { ...slides, ...changes })
  expect(await readDecoderConfig(folder)).toMatchObject({ maxPositions: 512 })
})

test('knows which layers of a family have biases', async () => {
  const biases = async (changes: Record<string, unknown>) => {
    await change('config.json', changes)
    const { qkvBias, outputBias, feedForwardBias } = await readDecoderConfig(folder)
    return [qkvBias, outputBias, feedForwardBias]
  }
  expect(await biases({ attention_bias: true })).toEqual([true, true, false])
  expect(await biases({ model_type: 'llama', attention_bias: false, mlp_bias: true })).toEqual([false, false, true])
  expect(await biases({ model_type: 'llama', attention_bias: true })).toEqual([true, true, true])
  expect(await biases({ model_type: 'qwen2', attention_bias: false, mlp_bias: false })).toEqual([true, false, false])
})

test('reads the scaling of the rotation, in old and new spelling', async () => {
  const yarn = { type: 'yarn', factor: 4, original_max_position_embeddings: 256 }
  await change('config.json', { rope_scaling: yarn })
  expect(await readDecoderConfig(folder)).toMatchObject({
    // transformers 5 keeps the base beside it, in rope_parameters.
    ropeTheta: 1e6,
    maxPositions: 1024,
    ropeScaling: {
      type: 'yarn',
      factor: 4,
      betaFast: 32,
      betaSlow: 1,
      originalPositions: 256,
      magnitude: 0.1 * Math.log(4) + 1,
      truncate: true,
    },
  })
  await change('config.json', { rope_scaling: { ...yarn, mscale: 1, mscale_all_dim: 0.5 } })
  const magnitude = (0.1 * Math.log(4) + 1) / (0.05 * Math.log(4) + 1)
  expect(await readDecoderConfig(folder)).toMatchObject({ ropeScaling: { magnitude } })
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 }
  await change('config.json', { rope_scaling: null, rope_parameters: { ...llama3, rope_theta: 5e5 } })
  expect(await readDecoderConfig(folder)).toMatchObject({
    ropeTheta: 5e5,
    maxPositions: 512,
    ropeScaling: { type: 'llama3', factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 512 },
  })
  await change('config.json', { rope_scaling: {} })
  expect(await readDecoderConfig(folder)).toMatchObject({ ropeScaling: { type: 'llama3' } })
})

test('what is null is left out', async () => {
  await change('config.json', { tie_word_embeddings: null, architectures: null, head_dim: null })
  expect(await readDecoderConfig(folder)).toMatchObject({ tiedEmbeddings: false, headDim: 128 })
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
  await change('generation_config.json', { min_p: 0.05, repetition_penalty: 1.05 })
  const read = { temperature: 0.6, minP: 0.05, repetitionPenalty: 1.05 }
  expect(await readGenerationConfig(folder)).toMatchObject(read)
  await change('generation_config.json', { do_sample: false })
  expect(await readGenerationConfig(folder)).toMatchObject({ temperature: 0 })
  await rm(path.join(folder, 'generation_config.json'))
  await change('config.json', { eos_token_id: 258 })
  expect(await readGenerationConfig(folder)).toEqual({ eosTokenIds: [258] })
})

test('every file may add to what ends a text', async () => {
  await change('config.json', { eos_token_id: [257, 256] })
  expect(await readGenerationConfig(folder)).toMatchObject({ eosTokenIds: [258, 256, 257] })
  await change('generation_config.json', { eos_token_id: null })
  expect(await readGenerationConfig(folder)).toMatchObject({ eosTokenIds: [257, 256] })
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
