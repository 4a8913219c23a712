import type { GraphBuilder, Initializer, Part, Value } from './builder.ts'
import { encodeFloats, rounding } from './encoding.ts'
import { floatTypes, type ActivationType, type Precision } from './precision.ts'
import { blockSize, quantise, quantisedShapes } from './quantisation.ts'

/** Another order of a layer's inputs or outputs, in blocks of `size`: entry `i` is the checkpoint's block that comes `i`th. */
export interface BlockOrder {
  size: number
  order: readonly number[]
}

/** A linear layer that may be several of the checkpoint's side by side: their outputs follow one another. */
export interface LinearLayer {
  /** Elements that come in. */
  inputs: number
  /** Default: the checkpoint's. */
  inputOrder?: BlockOrder | undefined
  /** The checkpoint's layers; each has a tensor `<name>.weight` [outputs, inputs]. */
  parts: readonly { name: string; outputs: number; order?: BlockOrder | undefined }[]
  /** Each part also has a tensor `<name>.bias` [outputs]. */
  bias: boolean
  precision: Precision
}

/**
 * x [S, inputs] → [S, all parts' outputs]
 *
 * @param output the result's name; defaults to the node's own
 */
export function linear(g: GraphBuilder, name: string, x: Value, layer: LinearLayer, output?: Value): Value {
  const { inputs, parts } = layer
  const { weights, activations } = layer.precision
  const rows = parts.reduce((sum, part) => sum + part.outputs, 0)
  // A single part keeps the checkpoint's name, so that a tied head and the embedding are one weight.
  const own = parts.length === 1 ? parts[0]!.name : name
  const weightParts = parts.flatMap((part) => ordered(`${part.name}.weight`, [part.outputs, inputs], part.order))
  const biasParts = parts.flatMap((part) => ordered(`${part.name}.bias`, [part.outputs], part.order))
  const outputs = output === undefined ? undefined : [output]
  if (weights !== 'int8' && weights !== 'int4') {
    const stored = floatTypes[weights]
    // ONNX Runtime casts constants as it loads the model: a CPU multiplies float32, from files of half the size.
    const read = (weight: Value) => (stored === activations ? weight : g.cast(`/${weight}/read`, weight, activations))
    const added = layer.bias ? [read(g.weight(`${own}.bias`, [rows], stored, biasParts))] : []
    const weight = read(matrix(g, `${own}.weight`, [rows, inputs], stored, weightParts, layer.inputOrder))
    return g.node(`/${name}/Gemm`, 'Gemm', [x, weight, ...added], { transB: 1 }, outputs)
  }
  const added = layer.bias ? [g.weight(`${own}.bias`, [rows], activations, biasParts)] : []
  const bits = weights === 'int8' ? 8 : 4
  const weight = quantisedWeight(
    g,
    `${own}.weight.${weights}`,
    [rows, inputs],
    bits,
    activations,
    weightParts,
    layer.inputOrder,
  )
  // '' is the group index, which nobody uses.
  const from = [x, ...weight, ...(layer.bias ? ['', ...added] : [])]
  // Level 4: activations are quantised too, a block at a time, and products are of whole numbers. It is the fast kernel.
  const attributes = { K: inputs, N: rows, bits, block_size: blockSize, accuracy_level: 4 }
  return g.node(`/${name}/MatMulNBits`, 'com.microsoft.MatMulNBits', from, attributes, outputs)
}

/** A tensor of the checkpoint with its rows in the order given. */
function ordered(name: string, shape: readonly number[], order: BlockOrder | undefined): Part[] {
  if (!order) return [{ name, shape }]
  const { size } = order
  return order.order.map((block) => ({ name, shape, rows: { from: block * size, count: size } }))
}

/** A weight [rows, columns] with its columns in the order given. */
function matrix(
  g: GraphBuilder,
  name: string,
  shape: readonly [rows: number, columns: number],
  type: ActivationType,
  parts: readonly Part[],
  order: BlockOrder | undefined,
): Value {
  const arranged = columnsIn(order, shape[1])
  g.encodedWeight(name, [{ name, type, shape }], parts, (rows) => [encodeFloats(name, type, arranged(rows))])
  return name
}

/** Rows of `columns` elements → the same rows with their columns in the order given. */
function columnsIn(order: BlockOrder | undefined, columns: number): (rows: Float32Array) => Float32Array {
  if (!order) return (rows) => rows
  const { size } = order
  return (rows) => {
    const arranged = new Float32Array(rows.length)
    for (let row = 0; row < rows.length; row += columns)
      for (const [i, block] of order.order.entries())
        arranged.set(rows.subarray(row + block * size, row + (block + 1) * size), row + i * size)
    return arranged
  }
}

/** The inputs of MatMulNBits that stand for a matrix: numbers, scales and zero points. */
function quantisedWeight(
  g: GraphBuilder,
  name: string,
  [rows, columns]: readonly [rows: number, columns: number],
  bits: 4 | 8,
  scaleType: ActivationType,
  parts: readonly Part[],
  order: BlockOrder | undefined,
): Value[] {
  const shapes = quantisedShapes(rows, columns, bits)
  const arranged = columnsIn(order, columns)
  const initializers: Initializer[] = [
    { name: `${name}.data`, type: 'uint8', shape: shapes.data },
    { name: `${name}.scales`, type: scaleType, shape: shapes.scales },
    { name: `${name}.zero_points`, type: 'uint8', shape: shapes.zeroPoints },
  ]
  g.encodedWeight(name, initializers, parts, (elements) => {
    const { data, scales, zeroPoints } = quantise(arranged(elements), columns, bits, rounding[scaleType])
    return [data, encodeFloats(name, scaleType, scales), zeroPoints]
  })
  return initializers.map((initializer) => initializer.name)
}
