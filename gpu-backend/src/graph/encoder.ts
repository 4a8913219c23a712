import { MPNET_BUCKETS, type EncoderConfig, type EncoderType } from '../checkpoint/index.ts'
import { float, GraphBuilder, type Graph, type Value } from './builder.ts'
import { linear } from './linear.ts'
import { floatTypes, type Precision } from './precision.ts'

/** Changes whenever the same configuration gives another graph, so that graphs kept on disk are built anew. */
export const encoderGraphVersion = 'encoder 1'

type Build = EncoderConfig & Precision

/** What the families call the tensors of a layer. */
interface LayerNames {
  query: string
  key: string
  value: string
  output: string
  outputNorm: string
}
const names: Record<EncoderType, LayerNames> = {
  bert: {
    query: 'attention.self.query',
    key: 'attention.self.key',
    value: 'attention.self.value',
    output: 'attention.output.dense',
    outputNorm: 'attention.output.LayerNorm',
  },
  mpnet: {
    query: 'attention.attn.q',
    key: 'attention.attn.k',
    value: 'attention.attn.v',
    output: 'attention.attn.o',
    outputNorm: 'attention.LayerNorm',
  },
}

/**
 * The graph of one forward over several texts, and what becomes of their tokens. Sizes that differ from run to run: S tokens
 * in all, B texts, T tokens of the longest.
 *
 * | input              | type, shape          | meaning                                                       |
 * | ------------------ | -------------------- | ------------------------------------------------------------- |
 * | `input_ids`        | int32 [S]            | the tokens of all texts, one text after another               |
 * | `position_ids`     | int32 [S]            | their rows in the table of positions                          |
 * | `padded`           | int32 [B, T]         | the token at each place of the padded ones                    |
 * | `unpadded`         | int32 [S]            | where each token stands in [B × T]                            |
 * | `attention_bias`   | float32 [B, 1, T, T] | added to the scores: 0 where a token is, far below 0 where not |
 * | `buckets`          | int32 [T, T]         | MPNet only: which of its biases a pair of places has          |
 * | `pooling`          | float32 [B, S]       | what each token counts in a text's embedding                  |
 *
 * Output: `embeddings` float32 [B, hidden], not normalised. Attention alone sees padding; everything else works on packed tokens.
 */
export function encoderGraph(encoder: EncoderConfig, precision: Partial<Precision> = {}): Graph {
  const { weights = 'fp32', activations = 'float32' } = precision
  const config: Build = { ...encoder, weights, activations }
  const g = new GraphBuilder()
  let x = embed(g, config)
  const at = { padded: g.input('padded', 'int32', ['B', 'T']), unpadded: g.input('unpadded', 'int32', ['S']) }
  const bias = attentionBias(g, config)
  for (let layer = 0; layer < config.layers; layer++) {
    const scope = `${config.prefix}encoder.layer.${layer}`
    const { outputNorm } = names[config.modelType]
    x = addNorm(g, config, `${scope}.${outputNorm}`, x, attention(g, config, scope, x, { ...at, bias }))
    x = addNorm(g, config, `${scope}.output.LayerNorm`, x, feedForward(g, config, scope, x))
  }
  const shares = typed(g, config, g.input('pooling', 'float32', ['B', 'S']))
  const output = g.output('embeddings', 'float32', ['B', config.hiddenSize])
  if (activations === 'float32') g.node('/pooling/MatMul', 'MatMul', [shares, x], {}, [output])
  else g.cast('/embeddings/Cast', g.node('/pooling/MatMul', 'MatMul', [shares, x]), 'float32', output)
  return g.build(config.modelType)
}

/** The sum of what a token, its position and, in BERT, its type stand for, normalised. [S] → [S, hidden] */
function embed(g: GraphBuilder, config: Build): Value {
  const { prefix, hiddenSize, vocabSize, positions, tokenTypes, activations } = config
  const words = lookup(g, config, 'word', vocabSize, g.input('input_ids', 'int32', ['S']))
  const places = lookup(g, config, 'position', positions, g.input('position_ids', 'int32', ['S']))
  const types = `${prefix}embeddings.token_type_embeddings.weight`
  const first = { name: types, shape: [tokenTypes, hiddenSize], rows: { from: 0, count: 1 } }
  const type = tokenTypes > 0 ? [g.weight(`${types}.0`, [hiddenSize], activations, [first])] : []
  return addNorm(g, config, `${prefix}embeddings.LayerNorm`, words, places, type)
}

function lookup(g: GraphBuilder, config: Build, kind: string, rows: number, ids: Value): Value {
  const { prefix, weights, activations, hiddenSize } = config
  const stored = weights === 'int8' || weights === 'int4' ? activations : floatTypes[weights]
  const table = g.weight(`${prefix}embeddings.${kind}_embeddings.weight`, [rows, hiddenSize], stored)
  const found = g.node(`/embeddings/${kind}/Gather`, 'Gather', [table, ids])
  return stored === activations ? found : g.cast(`/embeddings/${kind}/Cast`, found, activations)
}

/** [B, 1, T, T], or with MPNet's biases of distances [B, heads, T, T] */
function attentionBias(g: GraphBuilder, config: Build): Value {
  const hidden = typed(g, config, g.input('attention_bias', 'float32', ['B', 1, 'T', 'T']))
  if (config.modelType !== 'mpnet') return hidden
  const name = `${config.prefix}encoder.relative_attention_bias`
  const table = g.weight(`${name}.weight`, [MPNET_BUCKETS, config.heads], config.activations)
  const found = g.node(`/${name}/Gather`, 'Gather', [table, g.input('buckets', 'int32', ['T', 'T'])])
  const byHead = g.node(`/${name}/Transpose`, 'Transpose', [found], { perm: [2, 0, 1] })
  return g.node(`/${name}/Add`, 'Add', [hidden, byHead])
}

/** [S, hidden] → [S, hidden] */
function attention(
  g: GraphBuilder,
  config: Build,
  scope: string,
  x: Value,
  at: { padded: Value; unpadded: Value; bias: Value },
): Value {
  const { hiddenSize, heads } = config
  const { query, key, value, output } = names[config.modelType]
  const layer = (...sources: string[]) => ({
    inputs: hiddenSize,
    parts: sources.map((source) => ({ name: `${scope}.${source}`, outputs: hiddenSize })),
    bias: true,
    precision: config,
  })
  const projected = linear(g, `${scope}.qkv`, x, layer(query, key, value))
  const padded = g.node(`/${scope}/padded/Gather`, 'Gather', [projected, at.padded])
  const parts = ['query', 'key', 'value'].map((name) => `/${scope}/${name}`)
  g.node(`/${scope}/Split`, 'Split', [padded], { axis: 2, num_outputs: 3 }, parts)
  const attributes = { q_num_heads: heads, kv_num_heads: heads, scale: float(1 / Math.sqrt(hiddenSize / heads)) }
  const attended = g.node(`/${scope}/Attention`, 'Attention', [...parts, at.bias], attributes)
  const places = g.node(`/${scope}/places/Reshape`, 'Reshape', [attended, g.constant([-1, hiddenSize])])
  const packed = g.node(`/${scope}/packed/Gather`, 'Gather', [places, at.unpadded])
  return linear(g, `${scope}.${output}`, packed, layer(output))
}

/** down(gelu(up(x))) */
function feedForward(g: GraphBuilder, config: Build, scope: string, x: Value): Value {
  const { hiddenSize, intermediateSize } = config
  const layer = (name: string, inputs: number, outputs: number) => ({
    inputs,
    parts: [{ name: `${scope}.${name}`, outputs }],
    bias: true,
    precision: config,
  })
  const up = linear(g, `${scope}.intermediate`, x, layer('intermediate.dense', hiddenSize, intermediateSize))
  const active = g.node(`/${scope}/Gelu`, 'Gelu', [up])
  return linear(g, `${scope}.output`, active, layer('output.dense', intermediateSize, hiddenSize))
}

/** The norm of a sum. @param bias added too, where there is one */
function addNorm(g: GraphBuilder, config: Build, norm: string, x: Value, y: Value, bias: Value[] = []): Value {
  const { hiddenSize, activations, normEpsilon } = config
  const [scale, shift] = ['weight', 'bias'].map((name) => g.weight(`${norm}.${name}`, [hiddenSize], activations))
  const inputs = [x, y, scale!, shift!, ...bias]
  return g.node(`/${norm}`, 'com.microsoft.SkipLayerNormalization', inputs, { epsilon: float(normEpsilon) })
}

const typed = (g: GraphBuilder, { activations }: Precision, x: Value): Value =>
  activations === 'float32' ? x : g.cast(`/${x}/Cast`, x, activations)
