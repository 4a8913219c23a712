import type { DecoderConfig } from '../checkpoint/index.ts'
import { attention, attentionInputs, type Build } from './attention.ts'
import { float, GraphBuilder, type Graph, type Value } from './builder.ts'
import { linear } from './linear.ts'
import { floatTypes, type Precision } from './precision.ts'
import { reduceLogits } from './reduction.ts'

/** Changes whenever the same configuration gives another graph, so that graphs kept on disk are built anew. */
export const decoderGraphVersion = 5

/**
 * The graph of one packed forward over a pool of token slots. Sizes that differ from run to run: S new tokens in all,
 * B rows (requests), Q the most new tokens of a row, T the most keys of a row, N slots of the pool that are bound, R logit
 * rows. G is the number of query heads that share a key head.
 *
 * | input                         | type, shape              | meaning                                                |
 * | ----------------------------- | ------------------------ | ------------------------------------------------------ |
 * | `input_ids`                   | int32 [S]                | the new tokens of all rows, one row after another      |
 * | `position_ids`                | int64 [S, 1]             | their positions                                        |
 * | `write_slots`                 | int64 [S, 2]             | 0, and the pool row that receives key and value        |
 * | `in_place`                    | bool []                  | keys are all the pool's rows, as they lie: B is 1, T = N |
 * | `key_index`                   | int32 [B, T]             | else: the slot of each key that a row may see          |
 * | `query_index`                 | int32 [B, Q × G]         | the packed query at each place of the padded ones      |
 * | `attention_bias`              | float32 [B, Q, 1, T]     | added to the scores: 0 where a query sees a key        |
 * | `unpad_index`                 | int32 [S × G]            | where each packed query stands in [B × Q × G]          |
 * | `logit_rows`                  | int32 [R]                | the packed tokens whose logits are wanted              |
 * | `past.<layer>.key`, `.value`  | activations [1, N, kv width] | the pool; bind `present.…` to the same memory      |
 *
 * Output: `logits` float32 [R, vocabulary]. Attention alone sees padding (attention.ts); everything else works on packed tokens.
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
  const shared = attentionInputs(g, config)
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
  const rows = g.node('/model/embed_tokens/Gather', 'Gather', [table, tokens])
  return stored === activations ? rows : g.cast('/model/embed_tokens/Cast', rows, activations)
}

/** Elements of the checkpoint tensors that the graph uses, each counted once. */
export const countParameters = (config: DecoderConfig): number => parametersOf(decoderGraph(config))

export function parametersOf(graph: Graph): number {
  const parts = graph.weights.flatMap(({ source }) => (typeof source === 'function' ? [] : source))
  const sizes = new Map(parts.map(({ name, shape }) => [name, shape.reduce((product, size) => product * size, 1)]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** [S, hidden] twice: the running sum, and its norm, which the next block reads. */
interface Stream {
  residual: Value
  normed: Value
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
