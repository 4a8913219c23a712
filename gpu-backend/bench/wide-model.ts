/** A Qwen3 checkpoint with random weights, too large for the caches: what it says is noise, what it costs is not. */
import { cp, mkdir, open, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { readDecoderConfig } from '../src/checkpoint/index.ts'
import { decoderGraph } from '../src/graph/index.ts'

const shape = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  num_hidden_layers: 12,
  hidden_size: 512,
  intermediate_size: 1536,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 64,
  max_position_embeddings: 2048,
  rope_theta: 10_000,
  rms_norm_eps: 1e-6,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  torch_dtype: 'float32',
}

/**
 * Writes the checkpoint into `folder`: 38 M parameters, 154 MB in float32. It has no end-of-text token.
 *
 * @param tokenizer a checkpoint whose tokenizer it borrows
 */
export async function writeWideModel(folder: string, tokenizer: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await cp(path.join(tokenizer, file), path.join(folder, file))
  const { vocabSize } = await readDecoderConfig(tokenizer)
  const config = { ...shape, vocab_size: vocabSize }
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config))
  await writeFile(path.join(folder, 'generation_config.json'), '{}')

  const weights = decoderGraph(await readDecoderConfig(folder)).weights
  const stored = weights.flatMap(({ source }) => (typeof source === 'function' ? [] : source))
  const tensors = new Map(stored.map((part) => [part.name, part.shape]))
  const header: Record<string, unknown> = {}
  let end = 0
  for (const [name, dims] of tensors) {
    const bytes = 4 * elements(dims)
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [end, (end += bytes)] }
  }
  const text = Buffer.from(JSON.stringify(header))
  await using file = await open(path.join(folder, 'model.safetensors'), 'w')
  await file.writeFile(new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer))
  await file.writeFile(text)
  const uniform = uniformNumbers(1)
  for (const [, dims] of tensors) {
    // Uniform numbers of variance 1 / inputs keep activations at their size; norms are all ones.
    const width = dims.length > 1 ? Math.sqrt(12 / dims.at(-1)!) : 0
    const values = Float32Array.from({ length: elements(dims) }, () => (width === 0 ? 1 : width * (uniform() - 0.5)))
    await file.writeFile(new Uint8Array(values.buffer))
  }
}

const elements = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1)

/** mulberry32: from 0 to 1 */
function uniformNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
