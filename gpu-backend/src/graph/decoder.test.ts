import path from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { readDecoderConfig } from '../checkpoint/index.ts'
import { decoderGraph } from './decoder.ts'
import { elementTypes } from '../onnxruntime/index.ts'
import { ModelProtoSchema } from './onnx_pb.ts'
import type { WeightType } from './precision.ts'

const config = await readDecoderConfig(path.join(import.meta.dirname, '../../fixtures/tiny-qwen3'))

/** Names of the weights that lie outside the graph, the numbers of a quantised one only. */
function weights(type: WeightType, tiedEmbeddings: boolean): string[] {
  const { weights: all } = decoderGraph({ ...config, tiedEmbeddings, qkvBias: true }, { weights: type })
  return all.map(({ initializers }) => initializers[0]!.name).filter((name) => !/norm|rotary|layers\.1/.test(name))
}

const layer = (suffix: string) =>
  ['self_attn.qkv_proj', 'self_attn.o_proj', 'mlp.gate_up_proj', 'mlp.down_proj'].flatMap((name) => [
    ...(name.includes('qkv') ? [`model.layers.0.${name}.bias`] : []),
    `model.layers.0.${name}.weight${suffix}`,
  ])

test('every linear layer is quantised, the head to no fewer than 8 bits; embedding and biases stay', () => {
  expect(weights('fp32', false)).toEqual(['model.embed_tokens.weight', ...layer(''), 'lm_head.weight'])
  expect(weights('int8', false)).toEqual([
    'model.embed_tokens.weight',
    ...layer('.int8.data'),
    'lm_head.weight.int8.data',
  ])
  expect(weights('int4', false)).toEqual([
    'model.embed_tokens.weight',
    ...layer('.int4.data'),
    'lm_head.weight.int8.data',
  ])
})

test.each(['fp16', 'bf16'] as const)('%s keeps every matrix and the biases in halves, also the embedding', (type) => {
  for (const tiedEmbeddings of [true, false])
    expect(weights(type, tiedEmbeddings)).toEqual(weights('fp32', tiedEmbeddings))
  const bytes = (own: WeightType) => decoderGraph({ ...config, hiddenSize: 1024 }, { weights: own }).weightsBytes
  expect(bytes(type)).toBeLessThan(0.6 * bytes('fp32'))
})

const precisions = [
  { weights: 'fp16', activations: 'float16' },
  { weights: 'bf16', activations: 'bfloat16' },
] as const
test.each(precisions)('$weights with $activations: no casts but at both ends', (precision) => {
  const { graph } = fromBinary(ModelProtoSchema, decoderGraph(config, precision).model)
  const casts = graph!.node.filter(({ opType }) => opType === 'Cast').map(({ input, output }) => [input[0], output[0]])
  expect(casts).toEqual([
    ['/attention_bias/Reshape/output_0', '/attention_bias/Cast/output_0'],
    ['/lm_head/Gemm/output_0', 'logits'],
  ])
  const pools = graph!.input.filter(({ name }) => name.startsWith('past.'))
  for (const { type } of pools)
    expect(type!.value.value).toMatchObject({ elemType: elementTypes[precision.activations] })
})

test('a weight beyond 2 GiB says where it lies', () => {
  const { model, weights: all } = decoderGraph({ ...config, vocabSize: 200_000, hiddenSize: 4096 })
  const offsets = all.flatMap(({ initializers }) => initializers.map(({ offset }) => offset))
  const head = all.find(({ initializers }) => initializers[0]!.name === 'lm_head.weight')!.initializers[0]!
  expect(head.offset).toBeGreaterThan(2 ** 31)
  // In the order of the file, none inside another, each on a page of its own.
  for (const [i, offset] of offsets.entries()) expect(offset).toBeGreaterThan(offsets[i - 1] ?? -1)
  expect(offsets.every((offset) => Number.isSafeInteger(offset) && offset % 4096 === 0)).toBe(true)
  const stored = fromBinary(ModelProtoSchema, model).graph!.initializer.find(({ name }) => name === 'lm_head.weight')!
  const data = Object.fromEntries(stored.externalData.map(({ key, value }) => [key, value]))
  expect(data).toEqual({ location: 'weights.bin', offset: `${head.offset}`, length: `${200_000 * 4096 * 4}` })
})

test('a tied head shares the embedding in fp32, and has a smaller copy of it otherwise', () => {
  expect(weights('fp32', true)).toEqual(['model.embed_tokens.weight', ...layer('')])
  expect(weights('int4', true)).toEqual([
    'model.embed_tokens.weight',
    ...layer('.int4.data'),
    'model.embed_tokens.weight.int8.data',
  ])
})
