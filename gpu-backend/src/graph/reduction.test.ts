import { expect, test } from 'vitest'
import { IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import { GraphBuilder } from './builder.ts'
import { isReduced, reduceLogits, rowsGraph, topCount } from './reduction.ts'

const range = (count: number) => Array.from({ length: count }, (_, i) => i)

/** Runs the reduction alone over rows of `vocabulary` logits. */
async function reduce(logits: Float32Array, temperatures: number[], vocabulary: number) {
  const g = new GraphBuilder()
  reduceLogits(g, g.input('logits', 'float32', ['R', vocabulary]), vocabulary)
  using session = await Session.open(g.build('reduction').model, { threads: 1 })
  using binding = new IoBinding(session)
  const rows = temperatures.length
  const count = topCount(vocabulary)
  const outputs = {
    logits: new Float32Array(rows * count),
    tokens: new Int32Array(rows * count),
    weights: new Float32Array(rows),
  }
  binding.bindInput('logits', new Tensor('float32', logits, [rows, vocabulary]))
  binding.bindInput('temperatures', new Tensor('float32', Float32Array.from(temperatures), [rows, 1]))
  binding.bindOutput('top_logits', new Tensor('float32', outputs.logits, [rows, count]))
  binding.bindOutput('top_tokens', new Tensor('int32', outputs.tokens, [rows, count]))
  binding.bindOutput('weights', new Tensor('float32', outputs.weights, [rows, 1]))
  session.run(binding)
  return outputs
}

/** Scattered like those of a model, the greatest in no particular place, some of them equal. */
function someLogits(rows: number, vocabulary: number): Float32Array {
  return Float32Array.from({ length: rows * vocabulary }, (_, i) => {
    const scattered = Math.sin(i * 12.9898) * 43_758.5453
    const uniform = scattered - Math.floor(scattered)
    return Math.round((3 * Math.log(uniform / (1 - uniform + 1e-9) + 1e-9) + 7) * 64) / 64
  })
}

test.each([50, 1000, 151_936])('of %i logits it gives the greatest, and what all of them weigh', async (vocabulary) => {
  const temperatures = [0.05, 0.6, 1, 2]
  const all = someLogits(temperatures.length, vocabulary)
  const { logits, tokens, weights } = await reduce(all, temperatures, vocabulary)
  const count = topCount(vocabulary)
  for (const [i, temperature] of temperatures.entries()) {
    const row = all.subarray(i * vocabulary, (i + 1) * vocabulary)
    const order = range(vocabulary)
      .toSorted((a, b) => row[b]! - row[a]! || a - b)
      .slice(0, count)
    expect([...tokens.subarray(i * count, (i + 1) * count)]).toEqual(order)
    expect([...logits.subarray(i * count, (i + 1) * count)]).toEqual(order.map((token) => row[token]!))
    const expected = row.reduce((sum, logit) => sum + Math.exp((logit - row[order[0]!]!) / temperature), 0)
    // Sampling counts on a part of 1e-6.
    expect(Math.abs(weights[i]! / expected - 1)).toBeLessThan(5e-7)
  }
})

test('rows are brought off the device in the order they are asked for', async () => {
  const vocabulary = 300
  const logits = someLogits(3, vocabulary)
  using session = await Session.open(rowsGraph(vocabulary).model, { threads: 1 })
  using binding = new IoBinding(session)
  const picked = new Float32Array(2 * vocabulary)
  binding.bindInput('logits', new Tensor('float32', logits, [3, vocabulary]))
  binding.bindInput('rows', new Tensor('int32', Int32Array.of(2, 0), [2]))
  binding.bindOutput('picked', new Tensor('float32', picked, [2, vocabulary]))
  session.run(binding)
  expect(picked).toEqual(Float32Array.of(...logits.subarray(2 * vocabulary), ...logits.subarray(0, vocabulary)))
})

test('large vocabularies are reduced unless somebody says otherwise', () => {
  expect([1280, 151_936].map(isReduced)).toEqual([false, true])
})
