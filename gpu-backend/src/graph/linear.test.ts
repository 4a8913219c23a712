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
    for (const { name, shape, rows } of typeof source === 'function' ? [] : source) {
      const width = tensors[name]!.length / shape[0]!
      const { from, count } = rows ?? { from: 0, count: shape[0]! }
      const part = tensors[name]!.subarray(from * width, (from + count) * width)
      for (const [i, { buffer, byteOffset, byteLength }] of encode(part).entries()) {
        bytes.set(new Uint8Array(buffer, byteOffset, byteLength), ends[i])
        ends[i]! += byteLength
      }
    }
  }
  await writeFile(path.join(folder, weightsFile), bytes)
  await writeFile(path.join(folder, 'model.onnx'), graph.model)
  return path.join(folder, 'model.onnx')
}

const array = (length: number, f: (i: number) => number) => Float32Array.from({ length }, (_, i) => f(i))

async function multiplied(
  graph: Graph,
  tensors: Record<string, Float32Array>,
  x: Float32Array,
  shape: [number, number],
) {
  using session = await Session.open(await save(graph, tensors), { threads: 1 })
  const [tokens, width] = shape
  const y = new Float32Array(tokens * width)
  using binding = new IoBinding(session)
  using xTensor = new Tensor('float32', x, [tokens, x.length / tokens])
  using yTensor = new Tensor('float32', y, shape)
  binding.bindInput('x', xTensor)
  binding.bindOutput('y', yTensor)
  session.run(binding)
  return y
}

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
  const graph = g.build('linear')
  for (const tokens of [1, 3, 17]) {
    const x = array(tokens * inputs, (i) => ((i % inputs) % 32 === 2 ? 127 : ((i * 29) % 255) - 127))
    const y = await multiplied(graph, tensors, x, [tokens, outputs])
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

test.each(['fp32', 'int8', 'int4'] as const)(
  'inputs and outputs of a layer come in the order asked for: %s',
  async (weights) => {
    // Every block of 64 inputs and of 2 outputs has a number of its own: what comes out names both.
    const matrix = array(6 * 128, (i) => 10 ** Math.floor(i / 256) * (1 + 2 * Math.floor((i % 128) / 64)))
    const tensors = { 'a.weight': matrix, 'a.bias': array(6, (row) => row / 8) }
    const g = new GraphBuilder()
    linear(
      g,
      'layer',
      g.input('x', 'float32', ['S', 128]),
      {
        inputs: 128,
        inputOrder: { size: 64, order: [1, 0] },
        parts: [{ name: 'a', outputs: 6, order: { size: 2, order: [2, 0, 1] } }],
        bias: true,
        precision: { weights, activations: 'float32' },
      },
      'y',
    )
    g.output('y', 'float32', ['S', 6])
    // Only the first block of inputs is there: in the checkpoint it is the second, whose numbers are three times as large.
    const y = await multiplied(
      g.build('linear'),
      tensors,
      array(128, (i) => (i < 64 ? 1 : 0)),
      [1, 6],
    )
    expect(y.map((value) => Math.round(value * 8) / 8)).toEqual(
      Float32Array.of(19200 + 0.5, 19200 + 0.625, 192, 192 + 0.125, 1920 + 0.25, 1920 + 0.375),
    )
  },
)
