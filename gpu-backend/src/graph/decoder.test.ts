import path from 'node:path'
import { expect, test } from 'vitest'
import { readDecoderConfig } from '../checkpoint/index.ts'
import { decoderGraph } from './decoder.ts'
import type { WeightType } from './quantisation.ts'

const config = await readDecoderConfig(path.join(import.meta.dirname, '../../fixtures/tiny-qwen3'))

/** Names of the weights that lie outside the graph, the numbers of a quantised one only. */
function weights(type: WeightType, tiedEmbeddings: boolean): string[] {
  const { weights: all } = decoderGraph({ ...config, tiedEmbeddings, qkvBias: true }, type)
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

test('a tied head shares the embedding in fp32, and has a smaller copy of it otherwise', () => {
  expect(weights('fp32', true)).toEqual(['model.embed_tokens.weight', ...layer('')])
  expect(weights('int4', true)).toEqual([
    'model.embed_tokens.weight',
    ...layer('.int4.data'),
    'model.embed_tokens.weight.int8.data',
  ])
})
