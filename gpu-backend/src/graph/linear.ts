import type { GraphBuilder, Initializer, Part, Value } from './builder.ts'
import { encodeFloats, rounding } from './encoding.ts'
import { floatTypes, type ActivationType, type Precision } from './precision.ts'
import { blockSize, quantise, quantisedShapes } from './quantisation.ts'

/** A linear layer that may be several of the checkpoint's side by side: their outputs follow one another. */
export interface LinearLayer {
  /** Elements that come in. */
  inputs: number
  /** The checkpoint's layers; each has a tensor `<name>.weight` [outputs, inputs]. */
  parts: readonly { name: string; outputs: number }[]
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
  const weightParts = parts.map((part) => ({ name: `${part.name}.weight`, shape: [part.outputs, inputs] }))
  const biasParts = parts.map((part) => ({ name: `${part.name}.bias`, shape: [part.outputs] }))
  const outputs = output === undefined ? undefined : [output]
  if (weights !== 'int8' && weights !== 'int4') {
    const stored = floatTypes[weights]
    // ONNX Runtime casts constants as it loads the model: a CPU multiplies float32, from files of half the size.
    const read = (weight: Value) => (stored === activations ? weight : g.cast(`/${weight}/read`, weight, activations))
    const added = layer.bias ? [read(g.weight(`${own}.bias`, [rows], stored, biasParts))] : []
    const weight = read(g.weight(`${own}.weight`, [rows, inputs], stored, weightParts))
    return g.node(`/${name}/Gemm`, 'Gemm', [x, weight, ...added], { transB: 1 }, outputs)
  }
  const added = layer.bias ? [g.weight(`${own}.bias`, [rows], activations, biasParts)] : []
  const bits = weights === 'int8' ? 8 : 4
  const weight = quantisedWeight(g, `${own}.weight.${weights}`, rows, inputs, bits, activations, weightParts)
  // '' is the group index, which nobody uses.
  const from = [x, ...weight, ...(layer.bias ? ['', ...added] : [])]
  // Level 4: activations are quantised too, a block at a time, and products are of whole numbers. It is the fast kernel.
  const attributes = { K: inputs, N: rows, bits, block_size: blockSize, accuracy_level: 4 }
  return g.node(`/${name}/MatMulNBits`, 'com.microsoft.MatMulNBits', from, attributes, outputs)
}

/** The inputs of MatMulNBits that stand for a matrix [rows, columns]: numbers, scales and zero points. */
function quantisedWeight(
  g: GraphBuilder,
  name: string,
  rows: number,
  columns: number,
  bits: 4 | 8,
  scaleType: ActivationType,
  parts: readonly Part[],
): Value[] {
  const shapes = quantisedShapes(rows, columns, bits)
  const initializers: Initializer[] = [
    { name: `${name}.data`, type: 'uint8', shape: shapes.data },
    { name: `${name}.scales`, type: scaleType, shape: shapes.scales },
    { name: `${name}.zero_points`, type: 'uint8', shape: shapes.zeroPoints },
  ]
  g.encodedWeight(name, initializers, parts, (elements) => {
    const { data, scales, zeroPoints } = quantise(elements, columns, bits, rounding[scaleType])
    return [data, encodeFloats(name, scaleType, scales), zeroPoints]
  })
  return initializers.map((initializer) => initializer.name)
}
