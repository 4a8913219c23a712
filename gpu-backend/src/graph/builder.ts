import { create, toBinary } from '@bufbuild/protobuf'
import { elementBytes, elementTypes, type ElementType } from '../onnxruntime/index.ts'
import type { Rows } from '../checkpoint/index.ts'
import { encodeFloats, type Encoded } from './encoding.ts'
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx_pb.ts'
import type { ActivationType } from './precision.ts'

/** The name of a value in the graph; '' stands for an optional input or output that is left out. */
export type Value = string

/** A whole number is written as an INT attribute: wrap a float that may be whole in `float`. */
type Attribute = number | readonly number[] | { float: number } | { graph: GraphProto }

export const float = (value: number): Attribute => ({ float: value })

/** A tensor of the checkpoint, or some of its rows. */
export interface Part {
  name: string
  /** Of the whole tensor. */
  shape: readonly number[]
  /** Default: all. */
  rows?: Rows | undefined
}

/** Where a weight's elements come from: checkpoint tensors one after another, or a computation that gives pieces of whole rows. */
export type WeightSource = readonly Part[] | (() => Iterable<Float32Array>)

/** A tensor that lies outside the graph, in the file named by `weightsFile`. */
export interface Initializer {
  name: string
  type: ActivationType | 'uint8'
  shape: readonly number[]
}

/** With its first byte in the file, and its size. */
export interface PlacedInitializer extends Initializer {
  offset: number
  bytes: number
}

/** Turns some rows of one part into the same rows of each initializer; a part comes in pieces of whole rows. */
export type Encode = (elements: Float32Array) => readonly Encoded[]

/** The initializers that are made of the same elements, and so are written together. */
export interface Weight {
  source: WeightSource
  encode: Encode
  initializers: readonly PlacedInitializer[]
}

export interface Graph {
  /** The model file's bytes. */
  model: Uint8Array
  /** In the order of the weights file. */
  weights: readonly Weight[]
  /** Size of the weights file in bytes. */
  weightsBytes: number
}

/** The weights file's name; ONNX Runtime looks for it beside the model file. */
export const weightsFile = 'weights.bin'

/** Weights begin at multiples of the page size, so that ONNX Runtime can map them. */
const alignment = 4096

/** opset 23 brought Attention; ONNX pairs it with IR version 11. */
const opset = 23n
const irVersion = 11n

/** Collects nodes, weights, inputs and outputs, and writes them as an ONNX model. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = []
  readonly #inputs: ValueInfoProto[] = []
  readonly #outputs: ValueInfoProto[] = []
  readonly #constants = new Map<string, TensorProto>()
  readonly #weights = new Map<string, Weight>()
  readonly #nodeNames = new Set<string>()
  #end = 0

  /** @param shape sizes, or names of sizes that differ from run to run */
  input(name: string, type: ElementType, shape: readonly (number | string)[]): Value {
    this.#inputs.push(valueInfo(name, type, shape))
    return name
  }

  output(name: string, type: ElementType, shape: readonly (number | string)[]): Value {
    this.#outputs.push(valueInfo(name, type, shape))
    return name
  }

  /** A weight kept outside the graph. Asking twice for one name gives the same weight. */
  weight(
    name: string,
    shape: readonly number[],
    type: ActivationType = 'float32',
    source: WeightSource = [{ name, shape }],
  ): Value {
    this.encodedWeight(name, [{ name, type, shape }], source, (elements) => [encodeFloats(name, type, elements)])
    return name
  }

  /** A weight that several initializers together stand for. Asking twice for one name gives the same weight. */
  encodedWeight(name: string, initializers: readonly Initializer[], source: WeightSource, encode: Encode): void {
    if (this.#weights.has(name)) return
    const placed = initializers.map((initializer) => {
      const [offset, bytes] = [this.#end, byteLength(initializer)]
      this.#end = Math.ceil((offset + bytes) / alignment) * alignment
      return { ...initializer, offset, bytes }
    })
    this.#weights.set(name, { source, encode, initializers: placed })
  }

  /** A small int64 constant inside the graph. */
  constant(values: readonly number[]): Value {
    const name = `/constants/int64/[${values.join(',')}]`
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    const tensor = { name, dataType: elementTypes.int64, dims: [BigInt(values.length)], rawData }
    this.#constants.set(name, create(TensorProtoSchema, tensor))
    return name
  }

  /**
   * Adds a node and returns its first output.
   *
   * @param name unique, such as `/model/layers.0/attn/q_proj/MatMul`: ONNX Runtime's messages cite it
   * @param opType with its domain, when that is not ONNX's own: `com.microsoft.QuickGelu`
   * @param outputs defaults to one output, `<name>/output_0`
   * @throws Error if the name is taken
   */
  node(
    name: string,
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute> = {},
    outputs: readonly Value[] = [`${name}/output_0`],
  ): Value {
    if (this.#nodeNames.has(name)) throw new Error(`the graph has a node ${name} already`)
    this.#nodeNames.add(name)
    const dot = opType.lastIndexOf('.')
    this.#nodes.push(
      create(NodeProtoSchema, {
        name,
        opType: opType.slice(dot + 1),
        domain: opType.slice(0, Math.max(dot, 0)),
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      }),
    )
    return outputs[0] ?? ''
  }

  cast(name: string, x: Value, to: ElementType, output?: Value): Value {
    return this.node(name, 'Cast', [x], { to: elementTypes[to] }, output === undefined ? undefined : [output])
  }

  /** A branch of an If node: nodes that may read any value of this graph, and hand on what `build` returns. */
  branch(name: string, build: (branch: GraphBuilder) => Value): Attribute {
    const inner = new GraphBuilder()
    const output = [create(ValueInfoProtoSchema, { name: build(inner) })]
    const initializer = [...inner.#constants.values()]
    return { graph: create(GraphProtoSchema, { name, node: inner.#nodes, initializer, output }) }
  }

  build(name: string): Graph {
    const weights = [...this.#weights.values()]
    const graph = create(GraphProtoSchema, {
      name,
      node: this.#nodes,
      input: this.#inputs,
      output: this.#outputs,
      initializer: [
        ...this.#constants.values(),
        ...weights.flatMap((weight) => weight.initializers.map(externalTensor)),
      ],
    })
    const model = create(ModelProtoSchema, {
      irVersion,
      producerName: 'lookahead',
      opsetImport: [
        { domain: '', version: opset },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph,
    })
    return { model: toBinary(ModelProtoSchema, model), weights, weightsBytes: this.#end }
  }
}

function valueInfo(name: string, type: ElementType, shape: readonly (number | string)[]): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }))
  const tensor = { elemType: elementTypes[type], shape: { dim } }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensor } } })
}

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'object' && 'float' in value)
    return create(AttributeProtoSchema, { name, type: 1, f: value.float })
  if (typeof value === 'object' && 'graph' in value)
    return create(AttributeProtoSchema, { name, type: 5, g: value.graph })
  if (typeof value === 'object') return create(AttributeProtoSchema, { name, type: 7, ints: value.map(BigInt) })
  if (Number.isInteger(value)) return create(AttributeProtoSchema, { name, type: 2, i: BigInt(value) })
  return create(AttributeProtoSchema, { name, type: 1, f: value })
}

function byteLength({ type, shape }: Initializer): number {
  return shape.reduce((product, size) => product * size, elementBytes[type])
}

function externalTensor(initializer: PlacedInitializer): TensorProto {
  return create(TensorProtoSchema, {
    name: initializer.name,
    dataType: elementTypes[initializer.type],
    dims: initializer.shape.map(BigInt),
    dataLocation: 1,
    externalData: [
      { key: 'location', value: weightsFile },
      { key: 'offset', value: String(initializer.offset) },
      { key: 'length', value: String(initializer.bytes) },
    ],
  })
}
