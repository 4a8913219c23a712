import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tokensAfter } from '../../bench/forwards.ts'
import { readDecoderConfig } from '../checkpoint/index.ts'
import { joinedLogits, Model, type Row } from '../model/index.ts'
import { elementTypes, Session } from '../onnxruntime/index.ts'
import { writeChecksums } from './checksums.ts'
import { storedGraph } from './index.ts'
import { AttributeProtoSchema, ModelProtoSchema, NodeProtoSchema, type NodeProto } from './onnx_pb.ts'

/*
 * ONNX Runtime has no bfloat16 kernels for the CPU, and widens only float16 by itself. So the graph for CUDA is checked in
 * two ways: ONNX Runtime's own type check, which comes before it looks for kernels; and its numbers, with each node widened
 * to float32 and its result rounded to bfloat16, which is how a device computes it.
 */
const tiny = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')
const precision = { weights: 'bf16', activations: 'bfloat16' } as const

let cacheDir: string
let file: string
beforeAll(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  file = await storedGraph(tiny, await readDecoderConfig(tiny), { ...precision, cacheDir })
})
afterAll(() => rm(cacheDir, { recursive: true }))

async function refusal(model: string): Promise<string> {
  return Session.open(model).then(() => 'loaded', String)
}

test('every type in the graph agrees: a CPU lacks kernels, nothing else', async () => {
  expect(await refusal(file)).toMatch(/Could not find an implementation/)
  const model = fromBinary(ModelProtoSchema, await readFile(file))
  const norm = model.graph!.initializer.find(({ name }) => name === 'model.norm.weight')!
  norm.dataType = elementTypes.float16
  const wrong = path.join(path.dirname(file), 'wrong.onnx')
  await writeFile(wrong, toBinary(ModelProtoSchema, model))
  expect(await refusal(wrong)).toMatch(/Type Error|different tensor types|bound to different types/i)
})

test('the logits are those of fp32 within the rounding of bfloat16, at once and token by token', async () => {
  const model = fromBinary(ModelProtoSchema, await readFile(file))
  model.graph!.node = widened(model.graph!.node, notBfloat16(model.graph!))
  await writeFile(file, toBinary(ModelProtoSchema, model))
  await writeChecksums(path.dirname(file))
  using half = await Model.load(tiny, { slots: 64, cacheDir, ...precision })
  using exact = await Model.load(tiny, { slots: 64, cacheDir })
  const logits = async (own: Model, row: Row) => joinedLogits(await own.forward([row]))
  const expected = await logits(exact, tokensAfter(0, 40))
  expect(distance(await logits(half, tokensAfter(0, 40)), expected)).toBeLessThan(0.03)
  const width = exact.config.vocabSize
  for (let i = 0; i < 40; i++)
    expect(distance(await logits(half, tokensAfter(i, 1)), expected.slice(i * width, (i + 1) * width))).toBeLessThan(
      0.05,
    )
})

/** The pool must be written in place, so it is not widened: these have kernels for any type. */
const moving = new Set(['Cast', 'ScatterND', 'Gather', 'Squeeze', 'If'])

function notBfloat16(graph: {
  input: { name: string }[]
  initializer: { name: string; dataType: number }[]
}): Set<string> {
  const integers = graph.initializer.filter(({ dataType }) => dataType !== elementTypes.bfloat16)
  return new Set([...integers, ...graph.input].map(({ name }) => name).filter((name) => !name.startsWith('past.')))
}

function widened(nodes: readonly NodeProto[], others: ReadonlySet<string>): NodeProto[] {
  const cast = (input: string, output: string, to: number) =>
    create(NodeProtoSchema, {
      opType: 'Cast',
      input: [input],
      output: [output],
      attribute: [create(AttributeProtoSchema, { name: 'to', type: 2, i: BigInt(to) })],
    })
  return nodes.flatMap((node) => {
    for (const { g } of node.attribute) if (g) g.node = widened(g.node, others)
    if (moving.has(node.opType)) return [node]
    const before: NodeProto[] = []
    const after: NodeProto[] = []
    const input = node.input.map((name, i) => {
      if (name === '' || others.has(name)) return name
      before.push(cast(name, `${node.name}/wide${i}`, elementTypes.float32))
      return `${node.name}/wide${i}`
    })
    const output = node.output.map((name) => {
      if (name === '') return name
      after.push(cast(`${name}/wide`, name, elementTypes.bfloat16))
      return `${name}/wide`
    })
    return [...before, create(NodeProtoSchema, { ...node, input, output }), ...after]
  })
}

/** The size of the difference, relative to the size of the logits (root mean squares). */
function distance(a: Float32Array, b: Float32Array): number {
  const size = (f: (i: number) => number) => Math.sqrt(b.reduce((sum, _, i) => sum + f(i) ** 2, 0))
  return size((i) => a[i]! - b[i]!) / size((i) => b[i]!)
}
