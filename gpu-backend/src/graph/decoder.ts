import type { DecoderConfig } from '../checkpoint/index.ts'
import { float, GraphBuilder, type Graph, type Part, type Value } from './builder.ts'

/** Changes whenever the same configuration gives another graph, so that graphs kept on disk are built anew. */
export const decoderGraphVersion = 1

/** Names of the graph's inputs and outputs that exist once a layer. */
export const poolNames = (layer: number) => ({
  past: { key: `past.${layer}.key`, value: `past.${layer}.value` },
  present: { key: `present.${layer}.key`, value: `present.${layer}.value` },
})

/**
 * The graph of one packed forward over a pool of token slots. Sizes that differ from run to run: S new tokens in all,
 * B rows (requests), Q the most new tokens of a row, T the most keys of a row, N slots of the pool, R logit rows.
 *
 * | input                         | type, shape              | meaning                                                |
 * | ----------------------------- | ------------------------ | ------------------------------------------------------ |
 * | `input_ids`                   | int32 [S]                | the new tokens of all rows, one row after another      |
 * | `position_ids`                | int64 [S, 1]             | their positions                                        |
 * | `write_slots`                 | int64 [S, 1]             | the pool rows that receive their keys and values       |
 * | `query_index`                 | int32 [B, Q]             | the packed token at each place of the padded queries   |
 * | `key_index`                   | int32 [B, T]             | the slot of each key that a row may see                |
 * | `attention_bias`              | float32 [B, 1, Q, T]     | added to the scores: 0 where a query sees a key        |
 * | `unpad_index`                 | int64 [S, 2]             | where each packed token stands in [B, Q]               |
 * | `logit_rows`                  | int32 [R]                | the packed tokens whose logits are wanted              |
 * | `past.<layer>.key`, `.value`  | float32 [N, kv width]    | the pool; bind `present.…` to the same memory          |
 *
 * Output: `logits` float32 [R, vocabulary]. Attention alone sees padding; everything else works on packed tokens.
 * For small models the count of nodes is the cost: queries, keys and values share one product, as do gate and up;
 * queries and keys share one norm and one rotation; weights keep the checkpoint's [out, in] layout (Gemm, transB).
 */
export function decoderGraph(config: DecoderConfig): Graph {
  const { hiddenSize, vocabSize, layers } = config
  const g = new GraphBuilder()
  const tokens = g.input('input_ids', 'int32', ['S'])
  const shared: SharedInputs = {
    positions: g.input('position_ids', 'int64', ['S', 1]),
    writeSlots: g.input('write_slots', 'int64', ['S', 1]),
    queryIndex: g.input('query_index', 'int32', ['B', 'Q']),
    keyIndex: g.input('key_index', 'int32', ['B', 'T']),
    bias: g.input('attention_bias', 'float32', ['B', 1, 'Q', 'T']),
    unpadIndex: g.input('unpad_index', 'int64', ['S', 2]),
    ...rotaryTables(g, config),
  }
  const logitRows = g.input('logit_rows', 'int32', ['R'])

  const embedding = g.weight('model.embed_tokens.weight', [vocabSize, hiddenSize])
  const embedded = g.node('/model/embed_tokens/Gather', 'Gather', [embedding, tokens])
  const firstNorm = g.weight('model.layers.0.input_layernorm.weight', [hiddenSize])
  let stream: Stream = {
    residual: embedded,
    normed: g.node('/model/layers.0/input_layernorm', 'SimplifiedLayerNormalization', [embedded, firstNorm], {
      axis: -1,
      epsilon: config.normEpsilon,
    }),
  }
  for (let layer = 0; layer < layers; layer++) {
    const next = layer + 1 < layers ? `model.layers.${layer + 1}.input_layernorm` : 'model.norm'
    const attended = attention(g, config, layer, stream.normed, shared)
    stream = addNorm(g, config, `model.layers.${layer}.post_attention_layernorm`, stream, attended)
    stream = addNorm(g, config, next, stream, feedForward(g, config, layer, stream.normed))
  }

  const wanted = g.node('/model/logit_rows/Gather', 'Gather', [stream.normed, logitRows])
  const head = config.tiedEmbeddings ? embedding : g.weight('lm_head.weight', [vocabSize, hiddenSize])
  g.node('/lm_head/Gemm', 'Gemm', [wanted, head], { transB: 1 }, ['logits'])
  g.output('logits', 'float32', ['R', vocabSize])
  return g.build(config.modelType)
}

/** Elements of the checkpoint tensors that the graph uses, each counted once. */
export function countParameters(config: DecoderConfig): number {
  const parts = decoderGraph(config).weights.flatMap(({ source }) => (typeof source === 'function' ? [] : source))
  const sizes = new Map(parts.map(({ name, shape }) => [name, shape.reduce((product, size) => product * size, 1)]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

interface SharedInputs {
  positions: Value
  writeSlots: Value
  queryIndex: Value
  keyIndex: Value
  bias: Value
  unpadIndex: Value
  cos: Value
  sin: Value
}

/** [S, hidden] twice: the running sum, and its norm, which the next block reads. */
interface Stream {
  residual: Value
  normed: Value
}

/** x [S, in] → [S, out], where the parts' rows together are the outputs. */
function linear(g: GraphBuilder, name: string, x: Value, parts: readonly Part[]): Value {
  const rows = parts.reduce((sum, part) => sum + part.shape[0]!, 0)
  const weight = g.weight(`${name}.weight`, [rows, parts[0]!.shape[1]!], parts)
  return g.node(`/${name}/Gemm`, 'Gemm', [x, weight], { transB: 1 })
}

function split(g: GraphBuilder, name: string, x: Value, widths: readonly [number, number]): [Value, Value] {
  const outputs: [Value, Value] = [`/${name}/Split/output_0`, `/${name}/Split/output_1`]
  g.node(`/${name}/Split`, 'Split', [x, g.constant(widths)], { axis: 1 }, outputs)
  return outputs
}

/** Writes the new tokens' keys and values to the pool, and attends to the pool's rows. [S, hidden] → [S, hidden] */
function attention(g: GraphBuilder, config: DecoderConfig, layer: number, x: Value, shared: SharedInputs): Value {
  const { hiddenSize, heads, kvHeads, headDim } = config
  const scope = `model.layers.${layer}.self_attn`
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim]
  const qkv = linear(g, `${scope}.qkv_proj`, x, [
    { name: `${scope}.q_proj.weight`, shape: [queryWidth, hiddenSize] },
    { name: `${scope}.k_proj.weight`, shape: [keyWidth, hiddenSize] },
    { name: `${scope}.v_proj.weight`, shape: [keyWidth, hiddenSize] },
  ])
  const [queriesKeys, values] = split(g, `${scope}.qkv`, qkv, [queryWidth + keyWidth, keyWidth])
  const [queries, keys] = rotated(g, config, scope, queriesKeys, shared)
  const { past, present } = poolNames(layer)
  const pool = (kind: 'key' | 'value', rows: Value) => {
    g.input(past[kind], 'float32', ['N', keyWidth])
    g.output(present[kind], 'float32', ['N', keyWidth])
    g.node(`/${scope}/${kind}/ScatterND`, 'ScatterND', [past[kind], shared.writeSlots, rows], {}, [present[kind]])
    return g.node(`/${scope}/${kind}/Gather`, 'Gather', [present[kind], shared.keyIndex])
  }
  const padded = g.node(`/${scope}/query/Gather`, 'Gather', [queries, shared.queryIndex])
  const attended = g.node(
    `/${scope}/Attention`,
    'Attention',
    [padded, pool('key', keys), pool('value', values), shared.bias],
    { q_num_heads: heads, kv_num_heads: kvHeads, scale: float(1 / Math.sqrt(headDim)) },
  )
  const packed = g.node(`/${scope}/GatherND`, 'GatherND', [attended, shared.unpadIndex])
  return linear(g, `${scope}.o_proj`, packed, [{ name: `${scope}.o_proj.weight`, shape: [hiddenSize, queryWidth] }])
}

/** Queries and keys side by side [S, heads + kv heads of headDim] → both normalised and rotated. */
function rotated(g: GraphBuilder, config: DecoderConfig, scope: string, x: Value, at: SharedInputs): [Value, Value] {
  const { heads, kvHeads, headDim } = config
  // As [batch, heads, sequence, head] with a batch of S sequences of one token each, packed tokens need no transposing.
  let byHead = g.node(`/${scope}/heads/Reshape`, 'Reshape', [x, g.constant([-1, heads + kvHeads, 1, headDim])])
  if (config.qkNorm) {
    const repeat = (count: number, name: string) => Array.from({ length: count }, () => ({ name, shape: [headDim] }))
    const scale = g.weight(
      `${scope}.qk_norm.weight`,
      [1, heads + kvHeads, 1, headDim],
      [...repeat(heads, `${scope}.q_norm.weight`), ...repeat(kvHeads, `${scope}.k_norm.weight`)],
    )
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
  const width = (heads + kvHeads) * headDim
  const flat = g.node(`/${scope}/flat/Reshape`, 'Reshape', [turned, g.constant([-1, width])])
  return split(g, `${scope}.qk`, flat, [heads * headDim, kvHeads * headDim])
}

/** SwiGLU: down(silu(gate(x)) · up(x)). */
function feedForward(g: GraphBuilder, config: DecoderConfig, layer: number, x: Value): Value {
  const { hiddenSize, intermediateSize } = config
  const scope = `model.layers.${layer}.mlp`
  const gateUp = linear(g, `${scope}.gate_up_proj`, x, [
    { name: `${scope}.gate_proj.weight`, shape: [intermediateSize, hiddenSize] },
    { name: `${scope}.up_proj.weight`, shape: [intermediateSize, hiddenSize] },
  ])
  const [gate, up] = split(g, `${scope}.gate_up`, gateUp, [intermediateSize, intermediateSize])
  const silu = g.node(`/${scope}/silu`, 'com.microsoft.QuickGelu', [gate], { alpha: float(1) })
  const product = g.node(`/${scope}/Mul`, 'Mul', [silu, up])
  return linear(g, `${scope}.down_proj`, product, [
    { name: `${scope}.down_proj.weight`, shape: [hiddenSize, intermediateSize] },
  ])
}

/** Adds a block's result to the running sum and normalises the sum, in one node. */
function addNorm(g: GraphBuilder, config: DecoderConfig, norm: string, stream: Stream, added: Value): Stream {
  const weight = g.weight(`${norm}.weight`, [config.hiddenSize])
  const outputs = [`/${norm}/output_0`, '', '', `/${norm}/residual`]
  const attributes = { epsilon: config.normEpsilon }
  const inputs = [stream.residual, added, weight]
  g.node(`/${norm}`, 'com.microsoft.SkipSimplifiedLayerNormalization', inputs, attributes, outputs)
  return { normed: outputs[0]!, residual: outputs[3]! }
}

/** cos and sin of position · theta^(-2i / headDim), each [positions, headDim / 2]. */
function rotaryTables(
  g: GraphBuilder,
  { headDim, maxPositions, ropeTheta }: DecoderConfig,
): { cos: Value; sin: Value } {
  const half = headDim / 2
  const table = (f: (angle: number) => number) => () =>
    Float32Array.from({ length: maxPositions * half }, (_, i) =>
      f(Math.floor(i / half) / ropeTheta ** ((i % half) / half)),
    )
  return {
    cos: g.weight('rotary.cos', [maxPositions, half], table(Math.cos)),
    sin: g.weight('rotary.sin', [maxPositions, half], table(Math.sin)),
  }
}
