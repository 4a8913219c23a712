import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import { GraphBuilder, weightsFile, type Graph } from './builder.ts'
import { linear } from './linear.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(root, { recursive: true }))

/** Writes the graph as the store does, with the parts' elements from `tensors`. */
async function save(graph: Graph, tensors: Record<string, Float32Array>): Promise<string> {
  const folder = await mkdtemp(path.join(root, 'graph'))
  const bytes = new Uint8Array(graph.weightsBytes)
  for (const { source, encode, initializers } of graph.weights) {
    const ends = initializers.map(({ offset }) => offset)
    for (const { name } of typeof source === 'function' ? [] : source)
      for (const [i, { buffer, byteOffset, byteLength }] of encode(tensors[name]!).entries()) {
        bytes.set(new Uint8Array(buffer, byteOffset, byteLength), ends[i])
        ends[i]! += byteLength
      }
  }
  await writeFile(path.join(folder, weightsFile), bytes)
  await writeFile(path.join(folder, 'model.onnx'), graph.model)
  return path.join(folder, 'model.onnx')
}

const array = (length: number, f: (i: number) => number) => Float32Array.from({ length }, (_, i) => f(i))

/** The checkpoint's two layers that become one. */
const parts = [
  { name: 'a', outputs: 5 },
  { name: 'b', outputs: 12 },
]
const outputs = 17

/*
 * Numbers that quantisation and half precision leave as they are, so that any product is exact: weights on a grid whose two ends occur in every
 * block, and activations of whole numbers whose largest is 127 in every block.
 */
const cases = (['fp32', 'fp16', 'bf16', 'int8', 'int4'] as const).flatMap((weights) =>
  [32, 96, 48, 72].flatMap((inputs) => [true, false].map((bias) => [weights, inputs, bias] as const)),
)
test.each(cases)('%s with %d inputs, bias %s: one token and several', async (weights, inputs, bias) => {
  const [low, high] = weights === 'int4' ? [-5, 10] : [-100, 155]
  const matrix = array(outputs * inputs, (i) => {
    const [row, column] = [Math.floor(i / inputs), i % inputs]
    const number = [low, high][column % 32] ?? low + ((i * 37) % (high - low))
    // Neighbouring blocks have different scales.
    return number * 2 ** -((row + Math.floor(column / 32)) % 4)
  })
  const biases = array(outputs, (row) => (bias ? 1024 + 8 * row : 0))
  const tensors = {
    'a.weight': matrix.subarray(0, 5 * inputs),
    'b.weight': matrix.subarray(5 * inputs),
    'a.bias': biases.subarray(0, 5),
    'b.bias': biases.subarray(5),
  }
  const precision = { weights, activations: 'float32' } as const
  const g = new GraphBuilder()
  linear(g, 'both', g.input('x', 'float32', ['S', inputs]), { inputs, parts, bias, precision }, 'y')
  g.output('y', 'float32', ['S', outputs])
  using session = await Session.open(await save(g.build('linear'), tensors), { threads: 1 })
  for (const tokens of [1, 3, 17]) {
    const x = array(tokens * inputs, (i) => ((i % inputs) % 32 === 2 ? 127 : ((i * 29) % 255) - 127))
    const y = new Float32Array(tokens * outputs)
    using binding = new IoBinding(session)
    using xTensor = new Tensor('float32', x, [tokens, inputs])
    using yTensor = new Tensor('float32', y, [tokens, outputs])
    binding.bindInput('x', xTensor)
    binding.bindOutput('y', yTensor)
    session.run(binding)
    const expected = array(tokens * outputs, (i) => {
      const [token, row] = [Math.floor(i / outputs), i % outputs]
      let sum = biases[row]!
      for (let j = 0; j < inputs; j++) sum += x[token * inputs + j]! * matrix[row * inputs + j]!
      return sum
    })
    // The sums go up to a million: 1 is the rounding of float32.
    y.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1))
  }
})
