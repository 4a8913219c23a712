import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pull, type PullOptions } from './index.ts'
import { commit, LocalHub } from './local-hub.ts'
import { lock } from './lock.ts'
import { assertSpace } from './space.ts'

const tiny = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')
const shard = 'model-00002-of-00002.safetensors'

let hub: LocalHub
let root: string
let folder: string
beforeEach(async () => {
  hub = await LocalHub.start(tiny)
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  folder = path.join(root, 'model')
})
afterEach(async () => {
  await hub[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

const start = (options: PullOptions = {}) => pull('org/tiny', folder, { endpoint: hub.url, ...options })
const part = () => path.join(folder, '.pull', commit, `${shard}.part`)

async function expectWhole(): Promise<void> {
  expect((await readdir(folder)).toSorted()).toEqual((await readdir(tiny)).toSorted())
  for (const file of await readdir(tiny))
    expect(await readFile(path.join(folder, file))).toEqual(await readFile(path.join(tiny, file)))
}

/** Pulls until `bytes` of the second shard are on the disk, and then does `stop`. */
async function pullUntil(bytes: number, stop: () => void, options: PullOptions = {}): Promise<unknown> {
  hub.hold = { path: shard, bytes }
  const pulling = start({
    ...options,
    onProgress: (progress) => {
      if (progress.file === shard && progress.bytes === bytes) stop()
    },
  })
  return pulling.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('brings what the engine reads, and nothing else', async () => {
  for (const other of ['README.md', 'consolidated.safetensors', 'pytorch_model.bin', 'vocab.json'])
    hub.files.set(other, Buffer.from('of no use'))
  const { transferred, files, ...rest } = await start()
  expect(rest).toEqual({ commit })
  expect(files).toHaveLength(8)
  const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(folder, file))).size))
  expect(transferred).toBe(sizes.reduce((sum, size) => sum + size, 0))
  await expectWhole()
})

test('a second pull transfers no weights that are there, and repairs one that was changed', async () => {
  await start()
  await writeFile(path.join(folder, shard), 'changed')
  hub.reads.length = 0
  await start()
  expect(hub.reads.filter((file) => file.startsWith('model-'))).toEqual([shard])
  await expectWhole()
})

test('a pull that was stopped leaves no file in its place, and goes on where it stopped', async () => {
  const controller = new AbortController()
  const stopped = new Error('stopped')
  const error = await pullUntil(10_000, () => controller.abort(stopped), { signal: controller.signal })
  expect(error).toBe(stopped)
  expect(await readdir(folder)).toEqual(['.pull'])
  expect((await stat(part())).size).toBe(10_000)

  hub.hold = undefined
  hub.reads.length = 0
  const { transferred } = await start()
  expect(hub.reads).toEqual([`${shard} from 10000`])
  expect(transferred).toBe((await stat(path.join(tiny, shard))).size - 10_000)
  await expectWhole()
})

test('a transfer that breaks off says so, and goes on where it broke off', async () => {
  const error = await pullUntil(20_000, () => hub.cut())
  expect(error).toMatchObject({ name: 'HubError', code: 'unreachable', message: expect.stringContaining(shard) })
  hub.reads.length = 0
  await start()
  expect(hub.reads).toEqual([`${shard} from 20000`])
  await expectWhole()
})

test.each([shard, 'tokenizer.json'])(
  'changed bytes of %s are found and refused; the next pull brings good ones',
  async (file) => {
    hub.corrupt = file
    await expect(start()).rejects.toMatchObject({
      name: 'HubError',
      code: 'corrupt',
      message: expect.stringContaining(file),
    })
    expect(await readdir(folder)).toEqual(['.pull'])
    hub.corrupt = undefined
    await start()
    await expectWhole()
  },
)

test('a part that was changed on the disk is found as well', async () => {
  const controller = new AbortController()
  await pullUntil(10_000, () => controller.abort(), { signal: controller.signal })
  await writeFile(part(), Buffer.alloc(10_000))
  hub.hold = undefined
  await expect(start()).rejects.toMatchObject({ code: 'corrupt' })
  await start()
  await expectWhole()
})

test('a model that cannot be run is refused by name before its weights come, and what was there stays', async () => {
  await cp(tiny, folder, { recursive: true })
  hub.files.set('config.json', Buffer.from(JSON.stringify({ model_type: 'mamba' })))
  const refusal = {
    name: 'ModelError',
    code: 'unsupported',
    message: expect.stringMatching(/^org\/tiny is a mamba model/),
  }
  await expect(start()).rejects.toMatchObject(refusal)
  expect(hub.reads).toEqual(['config.json'])
  await expectWhole()
})

test('a tokenizer that cannot be used is refused before weights come, and so is none', async () => {
  const tokenizer = JSON.parse(String(hub.files.get('tokenizer.json'))) as object
  hub.files.set('tokenizer.json', Buffer.from(JSON.stringify({ ...tokenizer, decoder: { type: 'WordPiece' } })))
  await expect(start()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(/^org\/tiny: /) })
  hub.files.delete('tokenizer.json')
  await expect(start()).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('tokenizer.json') })
  hub.files.set('vocab.json', Buffer.from('{}'))
  await expect(start()).rejects.toThrow(/^org\/tiny has no tokenizer\.json: make it from its vocab\.json .*"org\/tiny"/)
  expect(hub.reads.filter((file) => file.includes('safetensors') && !file.endsWith('.json'))).toEqual([])
  expect(await readdir(folder)).toEqual([])
})

test('of a gated repository everyone sees the files, and is told to ask for access', async () => {
  hub.gated = true
  const refusal = {
    name: 'HubError',
    code: 'forbidden',
    message: expect.stringMatching(/ask for access at http.*HF_TOKEN/),
  }
  await expect(start()).rejects.toMatchObject(refusal)
  await expect(start({ token: 'hf_other' })).rejects.toMatchObject(refusal)
  hub.gated = false
  await start()
  await expectWhole()
})

test('a disk without room for what is still to come is told before it comes', async () => {
  const file = { path: shard, size: 2 ** 60, checksum: { type: 'git', value: '' } } as const
  await expect(assertSpace(root, [file])).rejects.toMatchObject({
    code: 'no_space',
    message: expect.stringMatching(/are still to come, and the disk has .* left/),
  })
  await expect(assertSpace(root, [{ ...file, size: 1 }])).resolves.toBeUndefined()
})

test('a repository without safetensors, or without a config, is refused', async () => {
  hub.files.delete(shard)
  await expect(start()).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining(shard) })
  hub.files.delete('config.json')
  await expect(start()).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('config.json') })
})

test('a token is shown to the hub, and to no other host', async () => {
  hub.token = 'hf_secret'
  await start({ token: 'hf_secret' })
  await expectWhole()
})

test('what the hub refuses is said in one line', async () => {
  const refused = (code: string, message: RegExp, asked = start()) =>
    expect(asked).rejects.toMatchObject({ name: 'HubError', code, message: expect.stringMatching(message) })
  await refused('not_found', /no org\/none at/, pull('org/none', folder, { endpoint: hub.url }))
  await refused('not_found', /no org\/tiny at revision v9$/, start({ revision: 'v9' }))
  hub.token = 'hf_secret'
  await refused('forbidden', /set HF_TOKEN/)
  await refused('forbidden', /HF_TOKEN may not read it/, start({ token: 'hf_other' }))
  const endpoint = hub.url
  await hub[Symbol.asyncDispose]()
  await refused(
    'unreachable',
    /cannot be asked for org.tiny .*: run the same command again/,
    pull('org/tiny', folder, { endpoint }),
  )
  await expect(stat(folder)).rejects.toThrow('ENOENT')
})

test('a second pull into the same folder is refused while the first is under way', async () => {
  let second: unknown
  await pullUntil(10_000, () => {
    void start()
      .catch((error: unknown) => (second = error))
      .finally(() => hub.cut())
  })
  expect(second).toMatchObject({ name: 'HubError', code: 'busy', message: expect.stringContaining('.pull.lock') })
  await start()
  await expectWhole()
})

test.each([
  ['whose process has died', String(2 ** 30)],
  ['that nobody wrote to', ''],
  ['of another process with our number', String(process.pid)],
])('a lock %s does not count, and whoever takes it over holds it', async (_, left) => {
  await start()
  const file = path.join(folder, '.pull.lock')
  await writeFile(file, left)
  const holder = await lock(file)
  await expect(start()).rejects.toMatchObject({ code: 'busy' })
  await holder[Symbol.asyncDispose]()
  await start()
  await expectWhole()
})
