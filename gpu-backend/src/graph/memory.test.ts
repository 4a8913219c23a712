import { execFile } from 'node:child_process'
import { cp, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDecoderConfig } from '../checkpoint/index.ts'
import { decoderGraph } from './decoder.ts'

const tiny = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')
const cli = path.join(import.meta.dirname, '../cli.ts')

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(root, { recursive: true }))

/** Writes tensors as bfloat16: the same random numbers, from -1 to 1, over and over. Returns the file's bytes. */
async function writeShard(file: string, tensors: ReadonlyMap<string, readonly number[]>): Promise<number> {
  const block = Buffer.alloc(2 ** 20)
  for (let i = 0; i < block.length; i += 2)
    block.writeUInt16LE((Math.random() < 0.5 ? 0x8000 : 0) + 0x3c00 + Math.floor(Math.random() * 0x300), i)
  let end = 0
  const header = [...tensors].map(([name, shape]) => {
    const bytes = shape.reduce((product, size) => product * size, 2)
    return [name, { dtype: 'BF16', shape, data_offsets: [end, (end += bytes)] }]
  })
  const text = JSON.stringify(Object.fromEntries(header))
  await using handle = await open(file, 'w')
  await handle.appendFile(new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer))
  await handle.appendFile(text)
  for (let left = end; left > 0; left -= block.length) await handle.appendFile(block.subarray(0, left))
  return end
}

/** The most memory, in MiB, that `lookahead` with these arguments ever has, with 64 MiB for JavaScript's own objects. */
async function peak(...args: string[]): Promise<number> {
  const report = 'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))'
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['--max-old-space-size=64', '--import', report, cli, ...args],
    { env: { ...process.env, LOOKAHEAD_CACHE: path.join(root, 'cache') } },
  )
  return Number(stderr) / 1024
}

test('building takes memory for pieces of tensors, not for tensors', async () => {
  const own = JSON.parse(await readFile(path.join(tiny, 'config.json'), 'utf8')) as object
  await cp(path.join(tiny, 'tokenizer.json'), path.join(root, 'tokenizer.json'))
  const wide = { vocab_size: 64_000, hidden_size: 320, tie_word_embeddings: false }
  await writeFile(path.join(root, 'config.json'), JSON.stringify({ ...own, ...wide }))
  const { weights } = decoderGraph(await readDecoderConfig(root))
  const parts = weights.flatMap(({ source }) => (typeof source === 'function' ? [] : source))
  const tensors = [...new Map(parts.map(({ name, shape }) => [name, shape]))]
  const shards = { 'a.safetensors': tensors.slice(0, 9), 'b.safetensors': tensors.slice(9) }
  const index: Record<string, string> = {}
  let bytes = 0
  for (const [file, content] of Object.entries(shards)) {
    for (const [name] of content) index[name] = file
    bytes += await writeShard(path.join(root, file), new Map(content))
  }
  await writeFile(path.join(root, 'model.safetensors.index.json'), JSON.stringify({ weight_map: index }))

  const idle = await peak('build', tiny)
  const busy = await peak('build', root)
  // The largest tensor alone is 41 MB in the checkpoint and 82 MB in the graph.
  expect(bytes).toBeGreaterThan(80e6)
  expect(busy - idle).toBeLessThan(80)
})
