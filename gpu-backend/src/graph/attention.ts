import type { DecoderConfig } from '../checkpoint/index.ts'
import { float, type GraphBuilder, type Value } from './builder.ts'
import { linear, type BlockOrder } from './linear.ts'
import type { Precision } from './precision.ts'
import { rotaryTables } from './rotary.ts'

/** What the graph is built from. */
export type Build = DecoderConfig & Precision

/** Names of the graph's inputs and outputs that exist once a layer. */
export const poolNames = (layer: number) => ({
  past: { key: `past.${layer}.key`, value: `past.${layer}.value` },
  present: { key: `present.${layer}.key`, value: `present.${layer}.value` },
})

/** Inputs of the graph that every layer's attention reads: see `decoderGraph`. */
interface AttentionInputs {
  positions: Value
  writeSlots: Value
  inPlace: Value
  keyIndex: Value
  queryIndex: Value
  /** [B, 1, Q × G, T] */
  bias: Value
  unpadIndex: Value
  cos: Value
  sin: Value
}

/** Query heads that share a key head. */
const groupSize = ({ heads, kvHeads }: DecoderConfig): number => heads / kvHeads

export function attentionInputs(g: GraphBuilder, config: Build): AttentionInputs {
  return {
    positions: g.input('position_ids', 'int64', ['S', 1]),
    writeSlots: g.input('write_slots', 'int64', ['S', 2]),
    inPlace: g.input('in_place', 'bool', []),
    keyIndex: g.input('key_index', 'int32', ['B', 'T']),
    queryIndex: g.input('query_index', 'int32', ['B', 'Q × G']),
    bias: groupedBias(g, config),
    unpadIndex: g.input('unpad_index', 'int32', ['S × G']),
    ...rotaryTables(g, config, config.activations),
  }
}

/** [B, Q, 1, T] → [B, 1, Q × G, T]: what a token may see is the same for all its queries. */
function groupedBias(g: GraphBuilder, config: Build): Value {
  const bias = g.input('attention_bias', 'float32', ['B', 'Q', 1, 'T'])
  const repeated = g.node('/attention_bias/Expand', 'Expand', [bias, g.constant([1, 1, groupSize(config), 1])])
  const grouped = g.node('/attention_bias/Reshape', 'Reshape', [repeated, g.constant([0, 1, -1, 0])])
  return config.activations === 'float32' ? grouped : g.cast('/attention_bias/Cast', grouped, config.activations)
}

/**
 * Writes the new tokens' keys and values to the pool, and attends to rows of it. [S, hidden] → [S, hidden]
 *
 * The query heads that share a key head come as so many queries with as many heads as there are keys: then a key is read
 * once for all of them. For that the heads are numbered through by their place in the group first: the checkpoint's weights
 * are rearranged as the graph is built, so that in the packed rows nothing has to move.
 */
export function attention(g: GraphBuilder, config: Build, layer: number, x: Value, at: AttentionInputs): Value {
  const { hiddenSize, heads, kvHeads, headDim } = config
  const scope = `model.layers.${layer}.self_attn`
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim]
  const order = groupsFirst(config)
  const projections = [
    { name: `${scope}.q_proj`, outputs: queryWidth, order },
    { name: `${scope}.k_proj`, outputs: keyWidth },
    { name: `${scope}.v_proj`, outputs: keyWidth },
  ]
  const qkvLayer = { inputs: hiddenSize, parts: projections, bias: config.qkvBias, precision: config }
  const qkv = linear(g, `${scope}.qkv_proj`, x, qkvLayer)
  const queriesKeys = columns(g, `${scope}/queries_keys`, qkv, 0, queryWidth + keyWidth)
  const values = columns(g, `${scope}/values`, qkv, queryWidth + keyWidth, queryWidth + 2 * keyWidth)
  const rows = rotated(g, config, scope, queriesKeys, at)
  const keys = keysOf(g, config, scope, rows)
  const queries = g.node(`/${scope}/queries/Gather`, 'Gather', [rows, at.queryIndex])
  const pool = written(g, config, layer, { keys, values }, at)
  const attended = attend(g, config, scope, queries, pool, at)
  const places = g.node(`/${scope}/places/Reshape`, 'Reshape', [attended, g.constant([-1, keyWidth])])
  const packed = g.node(`/${scope}/packed/Gather`, 'Gather', [places, at.unpadIndex])
  const joined = g.node(`/${scope}/joined/Reshape`, 'Reshape', [packed, g.constant([-1, queryWidth])])
  const parts = [{ name: `${scope}.o_proj`, outputs: hiddenSize }]
  const outputLayer = { inputs: queryWidth, inputOrder: order, parts, bias: config.outputBias, precision: config }
  return linear(g, `${scope}.o_proj`, joined, outputLayer)
}

/** First of every group the first query head, then of every group the second, and so on. */
function groupsFirst(config: DecoderConfig): BlockOrder | undefined {
  const { heads, kvHeads, headDim } = config
  const group = groupSize(config)
  if (group === 1 || kvHeads === 1) return undefined
  const order = Array.from({ length: heads }, (_, i) => (i % kvHeads) * group + Math.floor(i / kvHeads))
  return { size: headDim, order }
}

/**
 * [S, width] → [S, to - from]. Not by Split: for unequal parts CUDA's copies tables from the host at every run. On the CPU
 * ONNX Runtime makes one Split of the Slices.
 */
function columns(g: GraphBuilder, name: string, x: Value, from: number, to: number): Value {
  return g.node(`/${name}/Slice`, 'Slice', [x, g.constant([from]), g.constant([to]), g.constant([1])])
}

/**
 * Queries and keys side by side [S, heads + kv heads of headDim] → both normalised and rotated, as rows of the keys' width:
 * of every token its G queries, then its key. [S × (G + 1), kv width] With six query heads that share two key heads, G is 3:
 *
 *     token 0:   q0 q3 | q1 q4 | q2 q5 | k0 k1
 *     token 1:   q0 q3 | q1 q4 | q2 q5 | k0 k1
 *
 * Row 4 of these is the first query of token 1, row 7 its key.
 */
function rotated(g: GraphBuilder, config: Build, scope: string, x: Value, at: AttentionInputs): Value {
  const { heads, kvHeads, headDim } = config
  // As [batch, heads, sequence, head] with a batch of S sequences of one token each, packed tokens need no transposing.
  let byHead = g.node(`/${scope}/heads/Reshape`, 'Reshape', [x, g.constant([-1, heads + kvHeads, 1, headDim])])
  if (config.qkNorm) {
    const repeat = (count: number, name: string) => Array.from({ length: count }, () => ({ name, shape: [headDim] }))
    const scale = g.weight(`${scope}.qk_norm.weight`, [1, heads + kvHeads, 1, headDim], config.activations, [
      ...repeat(heads, `${scope}.q_norm.weight`),
      ...repeat(kvHeads, `${scope}.k_norm.weight`),
    ])
    byHead = g.node(`/${scope}/qk_norm`, 'SimplifiedLayerNormalization', [byHead, scale], {
      axis: -1,
      epsilon: config.normEpsilon,
    })
  }
  const turned = g.node(`/${scope}/RotaryEmbedding`, 'com.microsoft.RotaryEmbedding', [
    byHead,
    at.positions,
    at.cos,
    at.sin,
  ])
  return g.node(`/${scope}/rows/Reshape`, 'Reshape', [turned, g.constant([-1, kvHeads * headDim])])
}

/** [S × (G + 1), kv width] → [S, kv width] */
function keysOf(g: GraphBuilder, config: Build, scope: string, rows: Value): Value {
  const group = groupSize(config)
  const [from, to, axis, step] = [group, Number.MAX_SAFE_INTEGER, 0, group + 1]
  const range = [from, to, axis, step].map((value) => g.constant([value]))
  return g.node(`/${scope}/keys/Slice`, 'Slice', [rows, ...range])
}

/** A layer's pool. [1, N, kv width] each */
interface Pool {
  keys: Value
  values: Value
}

/** The pool with the new tokens' keys and values [S, kv width] in their slots. */
function written(g: GraphBuilder, config: Build, layer: number, added: Pool, at: AttentionInputs): Pool {
  const shape = [1, 'N', config.kvHeads * config.headDim]
  const { past, present } = poolNames(layer)
  const write = (kind: 'key' | 'value', rows: Value) => {
    const inputs = [g.input(past[kind], config.activations, shape), at.writeSlots, rows]
    const output = g.output(present[kind], config.activations, shape)
    return g.node(`/model.layers.${layer}.self_attn/${kind}/ScatterND`, 'ScatterND', inputs, {}, [output])
  }
  return { keys: write('key', added.keys), values: write('value', added.values) }
}

/** To the pool's rows as they lie, or to those that are asked for, which have to be collected first. [B, Q × G, kv width] */
function attend(
  g: GraphBuilder,
  config: Build,
  scope: string,
  queries: Value,
  { keys, values }: Pool,
  at: AttentionInputs,
): Value {
  const { kvHeads, headDim } = config
  const attributes = { q_num_heads: kvHeads, kv_num_heads: kvHeads, scale: float(1 / Math.sqrt(headDim)) }
  const then_branch = g.branch(`${scope}.in_place`, (branch) =>
    branch.node(`/${scope}/in_place/Attention`, 'Attention', [queries, keys, values, at.bias], attributes),
  )
  const else_branch = g.branch(`${scope}.collected`, (branch) => {
    const collected = (kind: string, rows: Value) => {
      const name = `/${scope}/collected/${kind}`
      const found = branch.node(`${name}/Gather`, 'Gather', [rows, at.keyIndex], { axis: 1 })
      return branch.node(`${name}/Squeeze`, 'Squeeze', [found, branch.constant([0])])
    }
    const inputs = [queries, collected('key', keys), collected('value', values), at.bias]
    return branch.node(`/${scope}/collected/Attention`, 'Attention', inputs, attributes)
  })
  return g.node(`/${scope}/If`, 'If', [at.inPlace], { then_branch, else_branch })
}
