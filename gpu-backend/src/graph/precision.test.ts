import path from 'node:path'
import { expect, test } from 'vitest'
import { readDecoderConfig } from '../checkpoint/index.ts'
import { slotBytes } from '../model/index.ts'
import { precisionOf, weightTypes } from './index.ts'

const config = await readDecoderConfig(path.join(import.meta.dirname, '../../fixtures/tiny-qwen3'))

test('on a CPU everything is computed in float32, whatever the weights are', () => {
  expect(precisionOf(config)).toEqual({ weights: 'fp32', activations: 'float32' })
  for (const weights of weightTypes)
    expect(precisionOf(config, { weights })).toEqual({ weights, activations: 'float32' })
})

test("on CUDA the weights are the checkpoint's own half type, and activations follow the weights", () => {
  const device = 'cuda'
  expect(precisionOf(config, { device })).toEqual({ weights: 'bf16', activations: 'bfloat16' })
  expect(precisionOf({ ...config, halfType: 'fp16' }, { device })).toEqual({ weights: 'fp16', activations: 'float16' })
  const activations = weightTypes.map((weights) => precisionOf(config, { device, weights }).activations)
  expect(activations).toEqual(['float32', 'float16', 'bfloat16', 'float16', 'float16'])
})

test('twice as many slots fit in half precision', () => {
  expect(slotBytes(config, 'float32')).toBe(2 * slotBytes(config, 'bfloat16'))
})
