import type { DecoderConfig } from '../checkpoint/index.ts'
import { float, GraphBuilder, type Graph, type Value } from './builder.ts'
import { linear } from './linear.ts'
import { floatTypes, type ActivationType, type Precision } from './precision.ts'
import { reduceLogits } from './reduction.ts'
import { rotaryTables } from './rotary.ts'

/** Changes whenever the same configuration gives another graph, so that graphs kept on disk are built anew. */
export const decoderGraphVersion = 4

/** What the graph is built from. */
type Build = DecoderConfig & Precision

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
 * | `unpad_index`                 | int32 [S]                | where each packed token stands in [B × Q]              |
 * | `logit_rows`                  | int32 [R]                | the packed tokens whose logits are wanted              |
 * | `past.<layer>.key`, `.value`  | activations [N, kv width] | the pool; bind `present.…` to the same memory         |
 *
 * Output: `logits` float32 [R, vocabulary]. Attention alone sees padding; everything else works on packed tokens.
 * For small models the count of nodes is the cost: queries, keys and values share one product, as do gate and up;
 * queries and keys share one norm and one rotation; weights keep the checkpoint's [out, in] layout (Gemm, transB).
 *
 * @param precision of the weights, and of everything between the embedding and the logits. The head is never kept in fewer than 8 bits: every logit is read off it directly.
 * A tied head is quantised as well, beside the embedding, which is looked up and not multiplied: a forward then reads a
 * quarter of what is often the largest matrix. In fp32, fp16 and bf16 a tied head and the embedding are one matrix.
 * @param reduced adds the input and the outputs that `reduceLogits` describes
 */
export function decoderGraph(decoder: DecoderConfig, precision: Partial<Precision> = {}, reduced = false): Graph {
  const { weights = 'fp32', activations = 'float32' } = precision
  const config = { ...decoder, weights, activations }
  const { hiddenSize, vocabSize, layers } = config
  const g = new GraphBuilder()
  const tokens = g.input('input_ids', 'int32', ['S'])
  const shared: SharedInputs = {
    positions: g.input('position_ids', 'int64', ['S', 1]),
    writeSlots: g.input('write_slots', 'int64', ['S', 1]),
    queryIndex: g.input('query_index', 'int32', ['B', 'Q']),
    keyIndex: g.input('key_index', 'int32', ['B', 'T']),
    bias: converted(g, g.input('attention_bias', 'float32', ['B', 1, 'Q', 'T']), 'float32', activations),
    unpadIndex: g.input('unpad_index', 'int32', ['S']),
    ...rotaryTables(g, config, activations),
  }
  const logitRows = g.input('logit_rows', 'int32', ['R'])

  const embedded = embed(g, config, tokens)
  const firstNorm = g.weight('model.layers.0.input_layernorm.weight', [hiddenSize], activations)
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
  const head = {
    inputs: hiddenSize,
    parts: [{ name: config.tiedEmbeddings ? 'model.embed_tokens' : 'lm_head', outputs: vocabSize }],
    bias: false,
    precision: { weights: weights === 'int4' ? 'int8' : weights, activations },
  } as const
  const logits = 'logits'
  if (activations === 'float32') linear(g, 'lm_head', wanted, head, logits)
  else g.cast('/lm_head/float', linear(g, 'lm_head', wanted, head), 'float32', logits)
  g.output(logits, 'float32', ['R', vocabSize])
  if (reduced) reduceLogits(g, logits, vocabSize)
  return g.build(config.modelType)
}

/** [S] → [S, hidden] */
function embed(g: GraphBuilder, { vocabSize, hiddenSize, weights, activations }: Build, tokens: Value): Value {
  const stored = weights === 'int8' || weights === 'int4' ? activations : floatTypes[weights]
  const table = g.weight('model.embed_tokens.weight', [vocabSize, hiddenSize], stored)
  return converted(g, g.node('/model/embed_tokens/Gather', 'Gather', [table, tokens]), stored, activations)
}

function converted(g: GraphBuilder, x: Value, from: ActivationType, to: ActivationType): Value {
  return from === to ? x : g.cast(`/${x}/Cast`, x, to)
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

/**
 * [S, width] → [S, left] and [S, width - left]. Not by Split: for unequal parts CUDA's copies tables from the host at every run. On the CPU
 * ONNX Runtime makes Splits of these Slices.
 */
function split(g: GraphBuilder, name: string, x: Value, left: number, width: number): [Value, Value] {
  const columns = (part: string, from: number, to: number) =>
    g.node(`/${name}/${part}/Slice`, 'Slice', [x, g.constant([from]), g.constant([to]), g.constant([1])])
  return [columns('left', 0, left), columns('right', left, width)]
}

/** Writes the new tokens' keys and values to the pool, and attends to the pool's rows. [S, hidden] → [S, hidden] */
function attention(g: GraphBuilder, config: Build, layer: number, x: Value, shared: SharedInputs): Value {
  const { hiddenSize, heads, kvHeads, headDim, activations } = config
  const scope = `model.layers.${layer}.self_attn`
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim]
  const projections = [
    { name: `${scope}.q_proj`, outputs: queryWidth },
    { name: `${scope}.k_proj`, outputs: keyWidth },
    { name: `${scope}.v_proj`, outputs: keyWidth },
  ]
  const qkvLayer = { inputs: hiddenSize, parts: projections, bias: config.qkvBias, precision: config }
  const qkv = linear(g, `${scope}.qkv_proj`, x, qkvLayer)
  const [queriesKeys, values] = split(g, `${scope}.qkv`, qkv, queryWidth + keyWidth, queryWidth + 2 * keyWidth)
  const [queries, keys] = rotated(g, config, scope, queriesKeys, shared)
  const { past, present } = poolNames(layer)
  const pool = (kind: 'key' | 'value', rows: Value) => {
    g.input(past[kind], activations, ['N', keyWidth])
    g.output(present[kind], activations, ['N', keyWidth])
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
  const places = g.node(`/${scope}/attended/Reshape`, 'Reshape', [attended, g.constant([-1, queryWidth])])
  const packed = g.node(`/${scope}/attended/Gather`, 'Gather', [places, shared.unpadIndex])
  const parts = [{ name: `${scope}.o_proj`, outputs: hiddenSize }]
  return linear(g, `${scope}.o_proj`, packed, { inputs: queryWidth, parts, bias: config.outputBias, precision: config })
}

/** Queries and keys side by side [S, heads + kv heads of headDim] → both normalised and rotated. */
function rotated(g: GraphBuilder, config: Build, scope: string, x: Value, at: SharedInputs): [Value, Value] {
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
  const width = (heads + kvHeads) * headDim
  const flat = g.node(`/${scope}/flat/Reshape`, 'Reshape', [turned, g.constant([-1, width])])
  return split(g, `${scope}.qk`, flat, heads * headDim, width)
}

/** SwiGLU: down(silu(gate(x)) · up(x)). */
function feedForward(g: GraphBuilder, config: Build, layer: number, x: Value): Value {
  const { hiddenSize, intermediateSize, feedForwardBias: bias } = config
  const scope = `model.layers.${layer}.mlp`
  const widening = [
    { name: `${scope}.gate_proj`, outputs: intermediateSize },
    { name: `${scope}.up_proj`, outputs: intermediateSize },
  ]
  const gateUp = linear(g, `${scope}.gate_up_proj`, x, { inputs: hiddenSize, parts: widening, bias, precision: config })
  const [gate, up] = [`/${scope}/gate`, `/${scope}/up`] as const
  g.node(`/${scope}/Split`, 'Split', [gateUp], { axis: 1, num_outputs: 2 }, [gate, up])
  const silu = g.node(`/${scope}/silu`, 'com.microsoft.QuickGelu', [gate], { alpha: float(1) })
  const product = g.node(`/${scope}/Mul`, 'Mul', [silu, up])
  const narrowing = [{ name: `${scope}.down_proj`, outputs: hiddenSize }]
  return linear(g, `${scope}.down_proj`, product, {
    inputs: intermediateSize,
    parts: narrowing,
    bias,
    precision: config,
  })
}

/** Adds a block's result to the running sum and normalises the sum, in one node. */
function addNorm(g: GraphBuilder, config: Build, norm: string, stream: Stream, added: Value): Stream {
  const weight = g.weight(`${norm}.weight`, [config.hiddenSize], config.activations)
  const outputs = [`/${norm}/output_0`, '', '', `/${norm}/residual`]
  const attributes = { epsilon: config.normEpsilon }
  const inputs = [stream.residual, added, weight]
  g.node(`/${norm}`, 'com.microsoft.SkipSimplifiedLayerNormalization', inputs, attributes, outputs)
  return { normed: outputs[0]!, residual: outputs[3]! }
}
