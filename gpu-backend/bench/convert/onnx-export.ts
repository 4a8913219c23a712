/** A checkpoint as the ONNX files that transformers.js reads: a decoder whose KV cache goes in and comes out grown. */
import { cp, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { readDecoderConfig, type DecoderConfig } from '../../src/checkpoint/index.ts'
import { float, GraphBuilder, type Graph, type Value } from '../../src/graph/builder.ts'
import type { Precision, WeightType } from '../../src/graph/index.ts'
import { linear } from '../../src/graph/linear.ts'
import { rotaryTables } from '../../src/graph/rotary.ts'
import { writeGraph } from '../../src/graph/store.ts'

/** Writes `onnx/model.onnx` and copies of the checkpoint's JSON files. @throws ModelError if the checkpoint is broken */
export async function writeOnnxExport(folder: string, target: string, weights: WeightType): Promise<void> {
  await mkdir(target, { recursive: true })
  for (const file of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'])
    await cp(path.join(folder, file), path.join(target, file))
  const graph = exportedGraph(await readDecoderConfig(folder), weights)
  await writeGraph(folder, graph, path.join(target, 'onnx'))
}

/**
 * One sequence: P tokens in the cache, S new ones, T = P + S.
 *
 * | value                                   | type, shape                    |
 * | --------------------------------------- | ------------------------------ |
 * | `input_ids`                             | int64 [1, S]                   |
 * | `attention_mask`                        | int64 [1, T], all ones         |
 * | `past_key_values.<layer>.key`, `.value` | float32 [1, kv heads, P, head] |
 * | → `logits`                              | float32 [1, S, vocabulary]     |
 * | → `present.<layer>.key`, `.value`       | float32 [1, kv heads, T, head] |
 *
 * GroupQueryAttention rotates, appends to the cache and attends in one node, as in the exports that are published for
 * transformers.js. Linear layers and norms are those of the engine's own graph, so that the runtimes are compared and not
 * the exporters.
 */
export function exportedGraph(config: DecoderConfig, weights: WeightType): Graph {
  const { hiddenSize, vocabSize, layers, normEpsilon: epsilon } = config
  const precision: Precision = { weights, activations: 'float32' }
  const g = new GraphBuilder()
  const ids = g.input('input_ids', 'int64', [1, 'S'])
  const shared = { ...lengths(g, g.input('attention_mask', 'int64', [1, 'T'])), ...rotaryTables(g, config) }
  const norm = (name: string, x: Value) =>
    g.node(`/${name}`, 'SimplifiedLayerNormalization', [x, g.weight(`${name}.weight`, [hiddenSize])], {
      axis: -1,
      epsilon,
    })
  const addNorm = (name: string, residual: Value, added: Value): [normed: Value, residual: Value] => {
    const outputs = [`/${name}/output_0`, '', '', `/${name}/residual`]
    const inputs = [residual, added, g.weight(`${name}.weight`, [hiddenSize])]
    g.node(`/${name}`, 'com.microsoft.SkipSimplifiedLayerNormalization', inputs, { epsilon }, outputs)
    return [outputs[0]!, outputs[3]!]
  }

  const embedding = g.weight('model.embed_tokens.weight', [vocabSize, hiddenSize])
  const flat = g.node('/input_ids/Reshape', 'Reshape', [ids, g.constant([-1])])
  let residual = g.node('/model/embed_tokens/Gather', 'Gather', [embedding, flat])
  let normed = norm('model.layers.0.input_layernorm', residual)
  for (let layer = 0; layer < layers; layer++) {
    const next = layer + 1 < layers ? `model.layers.${layer + 1}.input_layernorm` : 'model.norm'
    const attended = attention(g, config, precision, layer, normed, shared)
    ;[normed, residual] = addNorm(`model.layers.${layer}.post_attention_layernorm`, residual, attended)
    ;[normed, residual] = addNorm(next, residual, feedForward(g, config, precision, layer, normed))
  }
  const logits = linear(g, 'lm_head', normed, {
    inputs: hiddenSize,
    parts: [{ name: config.tiedEmbeddings ? 'model.embed_tokens' : 'lm_head', outputs: vocabSize }],
    bias: false,
    precision: { weights: weights === 'fp32' ? weights : 'int8', activations: 'float32' },
  })
  g.node('/logits/Reshape', 'Reshape', [logits, g.constant([1, -1, vocabSize])], {}, [
    g.output('logits', 'float32', [1, 'S', vocabSize]),
  ])
  return g.build(config.modelType)
}

interface SharedInputs {
  /** The last key's index. int32 [1] */
  lastKey: Value
  /** T. int32 [1] */
  total: Value
  cos: Value
  sin: Value
}

const int32 = 6

function lengths(g: GraphBuilder, mask: Value): Pick<SharedInputs, 'lastKey' | 'total'> {
  const total = g.node('/mask/Gather', 'Gather', [g.node('/mask/Shape', 'Shape', [mask]), g.constant([1])])
  const seen = g.node('/mask/ReduceSum', 'ReduceSum', [mask, g.constant([1])], { keepdims: 0 })
  const lastKey = g.node('/mask/Sub', 'Sub', [seen, g.constant([1])])
  return {
    lastKey: g.node('/mask/lastKey/Cast', 'Cast', [lastKey], { to: int32 }),
    total: g.node('/mask/total/Cast', 'Cast', [total], { to: int32 }),
  }
}

function attention(
  g: GraphBuilder,
  config: DecoderConfig,
  precision: Precision,
  layer: number,
  x: Value,
  { lastKey, total, cos, sin }: SharedInputs,
): Value {
  const { hiddenSize, heads, kvHeads, headDim, normEpsilon: epsilon } = config
  const scope = `model.layers.${layer}.self_attn`
  const widths = { q: heads * headDim, k: kvHeads * headDim, v: kvHeads * headDim }
  const kinds = ['q', 'k', 'v'] as const
  const parts = kinds.map((kind) => ({ name: `${scope}.${kind}_proj`, outputs: widths[kind] }))
  const qkv = linear(g, `${scope}.qkv_proj`, x, { inputs: hiddenSize, parts, bias: config.qkvBias, precision })
  const outputs = kinds.map((kind) => `/${scope}/${kind}`)
  g.node(`/${scope}/Split`, 'Split', [qkv, g.constant(Object.values(widths))], { axis: 1 }, outputs)
  const sequence = (kind: 'q' | 'k' | 'v') => {
    let value = `/${scope}/${kind}`
    if (config.qkNorm && kind !== 'v') {
      value = g.node(`/${scope}/${kind}/heads/Reshape`, 'Reshape', [value, g.constant([-1, headDim])])
      const weight = g.weight(`${scope}.${kind}_norm.weight`, [headDim])
      value = g.node(`/${scope}/${kind}_norm`, 'SimplifiedLayerNormalization', [value, weight], { axis: -1, epsilon })
    }
    return g.node(`/${scope}/${kind}/Reshape`, 'Reshape', [value, g.constant([1, -1, widths[kind]])])
  }
  const cache = ['key', 'value'].map((kind) => ({
    past: g.input(`past_key_values.${layer}.${kind}`, 'float32', [1, kvHeads, 'P', headDim]),
    present: g.output(`present.${layer}.${kind}`, 'float32', [1, kvHeads, 'T', headDim]),
  }))
  const attended = g.node(
    `/${scope}/GroupQueryAttention`,
    'com.microsoft.GroupQueryAttention',
    [sequence('q'), sequence('k'), sequence('v'), ...cache.map(({ past }) => past), lastKey, total, cos, sin],
    { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, scale: float(1 / Math.sqrt(headDim)) },
    [`/${scope}/attended`, ...cache.map(({ present }) => present)],
  )
  const flat = g.node(`/${scope}/flat/Reshape`, 'Reshape', [attended, g.constant([-1, widths.q])])
  const output = [{ name: `${scope}.o_proj`, outputs: hiddenSize }]
  return linear(g, `${scope}.o_proj`, flat, { inputs: widths.q, parts: output, bias: config.outputBias, precision })
}

/** SwiGLU: down(silu(gate(x)) · up(x)). */
function feedForward(g: GraphBuilder, config: DecoderConfig, precision: Precision, layer: number, x: Value): Value {
  const { hiddenSize, intermediateSize, feedForwardBias: bias } = config
  const scope = `model.layers.${layer}.mlp`
  const part = (name: string, outputs: number) => [{ name: `${scope}.${name}`, outputs }]
  const parts = [...part('gate_proj', intermediateSize), ...part('up_proj', intermediateSize)]
  const both = linear(g, `${scope}.gate_up_proj`, x, { inputs: hiddenSize, parts, bias, precision })
  const [gate, up] = [`/${scope}/gate`, `/${scope}/up`]
  g.node(`/${scope}/Split`, 'Split', [both, g.constant([intermediateSize, intermediateSize])], { axis: 1 }, [gate, up])
  const silu = g.node(`/${scope}/silu`, 'com.microsoft.QuickGelu', [gate], { alpha: float(1) })
  const product = g.node(`/${scope}/Mul`, 'Mul', [silu, up])
  const narrow = part('down_proj', hiddenSize)
  return linear(g, `${scope}.down_proj`, product, { inputs: intermediateSize, parts: narrow, bias, precision })
}
