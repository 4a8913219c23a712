/** By sentence-transformers: scripts/sentence_encoders.py. */
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readSentenceModules } from '../checkpoint/index.ts'
import { Session } from '../onnxruntime/index.ts'
import { WordPieceTokenizer } from '../tokenizer/index.ts'
import { assertSentenceEncoder, SentenceEncoder, type SentenceEncoderOptions } from './index.ts'

/** By file; null: it is not there. */
type Changes = Record<string, unknown>

interface Reference {
  texts: string[]
  /** `ids` and `embeddings` of each text; float32 [texts, width] in base64. */
  cases: { checkpoint: string; changes: Changes; ids: number[][]; embeddings: string }[]
}

const fixtures = path.join(import.meta.dirname, '../../fixtures/sentence-encoders')
const { texts, cases } = JSON.parse(readFileSync(path.join(fixtures, 'reference.json'), 'utf8')) as Reference
const named = cases.map((own) => [own.checkpoint, Object.keys(own.changes).join(', ') || 'as saved', own] as const)
const expectedOf = ({ embeddings }: Reference['cases'][number]) => {
  const all = new Float32Array(Uint8Array.from(Buffer.from(embeddings, 'base64')).buffer)
  const width = all.length / texts.length
  return texts.map((_, i) => all.subarray(i * width, (i + 1) * width))
}

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(root, { recursive: true }))

/** A checkpoint with other files. */
async function folderOf(checkpoint: string, changes: Changes = {}): Promise<string> {
  const folder = await mkdtemp(path.join(root, checkpoint))
  await cp(path.join(fixtures, checkpoint), folder, { recursive: true })
  for (const [name, content] of Object.entries(changes))
    if (content === null) await rm(path.join(folder, name))
    else await writeFile(path.join(folder, name), JSON.stringify(content))
  return folder
}

const load = (folder: string, options: SentenceEncoderOptions = {}) =>
  SentenceEncoder.load(folder, { cacheDir: path.join(root, 'cache'), ...options })

function mostDifference(own: readonly Float32Array[], expected: readonly Float32Array[]): number {
  expect(own.map((vector) => vector.length)).toEqual(expected.map((vector) => vector.length))
  return Math.max(...own.flatMap((vector, i) => Array.from(vector, (value, k) => Math.abs(value - expected[i]![k]!))))
}
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

describe.each(named)('%s, %s', (checkpoint, _, own) => {
  test('reads texts as Python does', async () => {
    const {
      transformer,
      lowercase,
      mostTokens = Infinity,
    } = await readSentenceModules(await folderOf(checkpoint, own.changes))
    const tokenizer = await WordPieceTokenizer.load(transformer, { lowercase })
    for (const [i, text] of texts.entries())
      expect([text, tokenizer.encode(text, mostTokens)]).toEqual([text, own.ids[i]])
  })

  test('gives the embeddings of sentence-transformers, all texts in one forward (if not: run the script again)', async () => {
    using encoder = await load(await folderOf(checkpoint, own.changes))
    const embeddings = await encoder.embed(texts)
    // Measured: 3e-7 at most.
    expect(mostDifference(embeddings, expectedOf(own))).toBeLessThan(1e-5)
  })
})

describe('an encoder', () => {
  const [own] = cases.filter(({ checkpoint }) => checkpoint === 'mpnet')
  const expected = expectedOf(own!)
  let encoder: SentenceEncoder
  beforeAll(async () => {
    encoder = await load(path.join(fixtures, 'mpnet'))
  })
  afterAll(() => encoder.close())

  test('gives vectors of length 1, and the same of a text whatever stands beside it', async () => {
    const alone = []
    for (const text of texts) alone.push(...(await encoder.embed([text])))
    expect(mostDifference(alone, expected)).toBeLessThan(1e-5)
    for (const vector of alone) expect(cosine(vector, vector)).toBeCloseTo(1, 6)
  })

  test('answers all who ask at once, each with their own', async () => {
    const all = await Promise.all(texts.map((_, i) => encoder.embed([...texts.slice(i), ...texts.slice(0, i)])))
    for (const [i, embeddings] of all.entries())
      expect(mostDifference(embeddings, [...expected.slice(i), ...expected.slice(0, i)])).toBeLessThan(1e-5)
  })

  test('of no texts there are no embeddings', async () => {
    expect(await encoder.embed([])).toEqual([])
  })

  test('what was asked for before it is closed is answered, and nothing after', async () => {
    const closing = await load(await folderOf('mpnet'))
    // So many tokens run beside the event loop.
    const many = Array.from({ length: 4 }, () => texts).flat()
    const asked = Promise.all([closing.embed(many), closing.embed(many)])
    closing.close()
    closing.close()
    for (const embeddings of await asked)
      for (const [i, vector] of embeddings.entries())
        expect(mostDifference([vector], [expected[i % texts.length]!])).toBeLessThan(1e-5)
    await expect(closing.embed(texts)).rejects.toMatchObject({ name: 'ModelError', code: 'closed' })
  })

  test('goes on when another of the same checkpoint, and so of the same session, is closed', async () => {
    const other = await load(path.join(fixtures, 'mpnet'))
    other.close()
    await expect(other.embed(texts)).rejects.toMatchObject({ code: 'closed' })
    expect(mostDifference(await encoder.embed(texts), expected)).toBeLessThan(1e-5)
  })

  test('does not begin what nobody wants any more', async () => {
    await expect(encoder.embed(texts, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect(mostDifference(await encoder.embed(texts), expected)).toBeLessThan(1e-5)
  })

  test.each([
    ['fp16', 2e-3],
    ['bf16', 1e-5],
    ['int8', 0.1],
  ] as const)('keeps weights in %s', async (weights, most) => {
    using smaller = await load(path.join(fixtures, 'mpnet'), { weights })
    expect(mostDifference(await smaller.embed(texts), expected)).toBeLessThan(most)
  })

  test('reads no more of a text than the table of positions holds, whatever its tokenizer says', async () => {
    const tokenizer = JSON.parse(await readFile(path.join(fixtures, 'mpnet/tokenizer_config.json'), 'utf8')) as object
    const folder = await folderOf('mpnet', { 'tokenizer_config.json': { ...tokenizer, model_max_length: 1e30 } })
    using long = await load(folder)
    expect(long.mostTokens).toBe(158)
    expect(mostDifference(await long.embed(texts), expected)).toBeLessThan(1e-5)
  })

  test('may have a tokenizer.json of old, without a type', async () => {
    const file = path.join(fixtures, 'mpnet/tokenizer.json')
    const tokenizer = JSON.parse(await readFile(file, 'utf8')) as { model: object }
    const model = { ...tokenizer.model, type: undefined }
    using old = await load(await folderOf('mpnet', { 'tokenizer.json': { ...tokenizer, model } }))
    expect(mostDifference(await old.embed(texts), expected)).toBeLessThan(1e-5)
  })

  test('may have been saved with a head, which is left out', async () => {
    const folder = await folderOf('mpnet')
    await renameTensors(path.join(folder, 'model.safetensors'), (name) => `mpnet.${name}`)
    using headed = await load(folder)
    expect(mostDifference(await headed.embed(texts), expected)).toBeLessThan(1e-5)
  })
})

async function renameTensors(file: string, rename: (name: string) => string): Promise<void> {
  const bytes = await readFile(file)
  const size = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + size)) as Record<string, unknown>
  const names = Object.entries(header).map(([name, tensor]) => [name === '__metadata__' ? name : rename(name), tensor])
  const renamed = Buffer.from(JSON.stringify(Object.fromEntries(names)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(renamed.length))
  await writeFile(file, Buffer.concat([length, renamed, bytes.subarray(8 + size)]))
}

describe('what cannot be run is refused by name before anything is built', () => {
  const config = (name: string, changes: object) => ({
    [name]: { ...(JSON.parse(readFileSync(path.join(fixtures, 'bert', name), 'utf8')) as object), ...changes },
  })
  const modules = (...types: string[]) => ({
    'modules.json': types.map((type, idx) => ({ idx, name: `${idx}`, path: '', type: `x.y.${type}` })),
  })

  test.each<[string, Changes, 'unsupported' | 'invalid' | 'not_found', RegExp]>([
    [
      'another family',
      config('config.json', { model_type: 'qwen3' }),
      'unsupported',
      /is a qwen3 model.*all-mpnet-base-v2/,
    ],
    ['another activation', config('config.json', { hidden_act: 'relu' }), 'unsupported', /activation relu/],
    [
      'relative positions',
      config('config.json', { position_embedding_type: 'relative_key' }),
      'unsupported',
      /relative_key/,
    ],
    ['a decoder', config('config.json', { is_decoder: true }), 'unsupported', /one direction/],
    ['quantised weights', config('config.json', { quantization_config: {} }), 'unsupported', /quantised/],
    ['heads that do not divide', config('config.json', { num_attention_heads: 5 }), 'unsupported', /among 5 heads/],
    [
      'more layers than there are',
      config('config.json', { num_hidden_layers: 3 }),
      'invalid',
      /no tensor encoder\.layer\.2/,
    ],
    ['another vocabulary', config('config.json', { vocab_size: 100 }), 'invalid', /172 tokens, the model 100/],
    ['a broken config.json', config('config.json', { hidden_size: 'wide' }), 'invalid', /hidden_size/],
    [
      'pooling by maximum',
      { '1_Pooling/config.json': { pooling_mode: 'max' } },
      'unsupported',
      /pooling by max is not/,
    ],
    ['two poolings', { '1_Pooling/config.json': { pooling_mode: ['cls', 'mean'] } }, 'unsupported', /by cls with mean/],
    ['a further module', modules('Transformer', 'Pooling', 'Dense'), 'unsupported', /Dense is not supported/],
    ['no pooling', modules('Transformer', 'Normalize'), 'unsupported', /Normalize is not supported there/],
    ['no modules', { 'modules.json': [] }, 'unsupported', /names no modules/],
    ['no pooling file', { '1_Pooling/config.json': null }, 'not_found', /1_Pooling has no config\.json/],
    [
      'a prompt',
      config('config_sentence_transformers.json', { default_prompt_name: 'query' }),
      'unsupported',
      /prompt "query"/,
    ],
    [
      'another tokenizer',
      { 'tokenizer.json': { model: { type: 'Unigram' } } },
      'unsupported',
      /only WordPiece.*not Unigram/,
    ],
    ['no tokenizer', { 'tokenizer.json': null, 'vocab.txt': '' }, 'not_found', /vocab\.txt with Python/],
    [
      'no unknown token',
      config('tokenizer.json', {
        model: { type: 'WordPiece', vocab: { a: 0 }, unk_token: '?', continuing_subword_prefix: '##' },
      }),
      'invalid',
      /\? is none of its tokens/,
    ],
    [
      'nothing around a text',
      config('tokenizer.json', { post_processor: null }),
      'unsupported',
      /nothing around a text/,
    ],
    ['no weights', { 'model.safetensors': null }, 'not_found', /model\.safetensors is missing/],
  ])('%s', async (_, changes, code, message) => {
    const folder = await folderOf('bert', changes)
    const refused = assertSentenceEncoder(folder)
    await expect(refused).rejects.toMatchObject({ name: 'ModelError', code })
    await expect(refused).rejects.toThrow(message)
    const opened = vi.spyOn(Session, 'open')
    await expect(load(folder)).rejects.toMatchObject({ code })
    expect(opened).not.toHaveBeenCalled()
    opened.mockRestore()
  })

  test('a folder that is not there', async () => {
    await expect(assertSentenceEncoder(path.join(root, 'nowhere'))).rejects.toMatchObject({ code: 'not_found' })
  })
})
