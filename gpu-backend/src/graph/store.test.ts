import { cp, mkdir, mkdtemp, open, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readDecoderConfig } from '../checkpoint/index.ts'
import { GraphBuilder } from './builder.ts'
import { countParameters, storedGraph, weightTypes, type BuildProgress } from './index.ts'

const tiny = path.join(import.meta.dirname, '../../fixtures/tiny-qwen3')
const config = await readDecoderConfig(tiny)

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(tiny, path.join(root, 'model'), { recursive: true })
})
afterEach(() => rm(root, { recursive: true }))

const store = (signal?: AbortSignal) =>
  storedGraph(path.join(root, 'model'), config, { cacheDir: path.join(root, 'cache'), signal })
/** Folders of graphs, and of parts of graphs, as `<kind>/<contents>`. */
const stored = async (): Promise<string[]> => {
  const names = await readdir(path.join(root, 'cache', 'graphs'), { recursive: true }).catch(() => [])
  return names.filter((name) => name.split(path.sep).length === 2)
}
const change = () => utimes(path.join(root, 'model', 'model-00001-of-00002.safetensors'), 1, 1)

test('builds a graph once, also when asked twice at the same time', async () => {
  const [file, again] = await Promise.all([store(), store()])
  expect(again).toBe(file)
  const { mtimeMs } = await stat(file)
  expect(await store()).toBe(file)
  expect((await stat(file)).mtimeMs).toBe(mtimeMs)
  expect(await stored()).toHaveLength(1)
})

test('tells how far it is, from the first weight to the last byte', async () => {
  const seen: BuildProgress[] = []
  const options = {
    cacheDir: path.join(root, 'cache'),
    onProgress: (progress: BuildProgress) => void seen.push(progress),
  }
  const file = await storedGraph(path.join(root, 'model'), config, options)
  const { size } = await stat(path.join(path.dirname(file), 'weights.bin'))
  expect(seen.at(-1)).toMatchObject({ bytes: size, totalBytes: size, weights: seen[0]!.totalWeights })
  expect(seen.map(({ weights }) => weights)).toEqual(seen.map(({ weights }) => weights).toSorted((a, b) => a - b))
  const before = seen.length
  await storedGraph(path.join(root, 'model'), config, options)
  expect(seen).toHaveLength(before)
})

test('refuses a weight that half precision cannot hold', () => {
  const g = new GraphBuilder()
  g.weight('w', [2], 'float16')
  const [weight] = g.build('g').weights
  expect(() => weight!.encode(Float32Array.of(1, 70_000))).toThrow(/w has numbers too large for fp16/)
  expect(weight!.encode(Float32Array.of(1, -65_504))).toEqual([Float16Array.of(1, -65_504)])
})

test('builds anew when a weight file has changed, and keeps the new graph alone', async () => {
  const file = await store()
  await change()
  const anew = await store()
  expect(anew).not.toBe(file)
  expect(await stored()).toEqual([path.relative(path.join(root, 'cache', 'graphs'), path.dirname(anew))])
})

/** Overwrites some bytes in the middle of a file, as a disk or a hand might. */
async function damage(file: string): Promise<void> {
  await using opened = await open(file, 'r+')
  const { size } = await opened.stat()
  await opened.write(Buffer.alloc(64, 0xff), 0, 64, Math.floor(size / 2))
}

describe('a stored graph that was damaged', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue())
  afterEach(() => vi.restoreAllMocks())

  test.each(['weights.bin', 'model.onnx', 'checksums.json'])('is built anew where it is %s', async (name) => {
    const folder = path.dirname(await store())
    const files = ['weights.bin', 'model.onnx']
    const before = await Promise.all(files.map((file) => readFile(path.join(folder, file))))
    for (const harm of [damage, (file: string) => truncate(file, 10), (file: string) => rm(file)]) {
      await harm(path.join(folder, name))
      await store()
      expect(await Promise.all(files.map((file) => readFile(path.join(folder, file))))).toEqual(before)
    }
    expect(console.error).toHaveBeenCalledTimes(3)
    expect(await stored()).toHaveLength(1)
  })

  test('is told from one that was only touched, which is read once for that', async () => {
    const folder = path.dirname(await store())
    const inodes = async () => {
      const files = ['weights.bin', 'checksums.json'].map((name) => stat(path.join(folder, name)))
      return (await Promise.all(files)).map(({ ino }) => ino)
    }
    const [weights, written] = await inodes()
    await utimes(path.join(folder, 'weights.bin'), 1, 1)
    await store()
    const [same, anew] = await inodes()
    expect([same === weights, anew === written]).toEqual([true, false])
    await store()
    expect(await inodes()).toEqual([same, anew])
    expect(console.error).not.toHaveBeenCalled()
  })
})

test('what a process that died left behind goes with the next build; what another writes just now stays', async () => {
  const home = path.dirname(await store())
  for (const part of ['left', 'growing']) {
    await mkdir(`${home}.${part}`)
    await writeFile(path.join(`${home}.${part}`, 'weights.bin'), '')
  }
  await utimes(path.join(`${home}.left`, 'weights.bin'), 1, 1)
  await change()
  const kept = [path.dirname(await store()), `${home}.growing`].map((folder) => path.basename(folder))
  expect((await stored()).map((folder) => path.basename(folder)).toSorted()).toEqual(kept.toSorted())
})

test('a checkpoint that lacks a tensor is refused before anything is written', async () => {
  const seen: BuildProgress[] = []
  const options = { cacheDir: path.join(root, 'cache'), onProgress: (done: BuildProgress) => void seen.push(done) }
  const deeper = { ...config, layers: config.layers + 1 }
  await expect(storedGraph(path.join(root, 'model'), deeper, options)).rejects.toThrow('has no tensor model.layers.2')
  expect(seen).toEqual([])
})

test('keeps one graph for each type of weights', async () => {
  const options = { cacheDir: path.join(root, 'cache') }
  for (const weights of weightTypes) await storedGraph(path.join(root, 'model'), config, { ...options, weights })
  expect(await stored()).toHaveLength(weightTypes.length)
  expect(await store()).toBe(await storedGraph(path.join(root, 'model'), config, { ...options, weights: 'fp32' }))
})

test('leaves nothing behind when it is stopped or fails', async () => {
  await expect(store(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  await writeFile(path.join(root, 'model', 'model-00002-of-00002.safetensors'), 'broken')
  await expect(store()).rejects.toMatchObject({ name: 'ModelError', code: 'invalid' })
  expect(await stored()).toEqual([])
})

test('says where a graph cannot be written', async () => {
  await writeFile(path.join(root, 'cache'), 'a file, not a folder')
  await expect(store()).rejects.toMatchObject({ name: 'ModelError', code: 'unwritable' })
})

test('refuses two nodes of one name', () => {
  const g = new GraphBuilder()
  g.node('/a', 'Identity', ['x'])
  expect(() => g.node('/a', 'Identity', ['x'])).toThrow('/a')
})

test('counts a shared tensor once', () => {
  const untied = countParameters(config)
  expect(untied).toBe(2 * 261 * 32 + 2 * (32 * 64 + 2 * 32 * 32 + 64 * 32 + 3 * 32 * 48 + 2 * 16 + 2 * 32) + 32)
  expect(countParameters({ ...config, tiedEmbeddings: true })).toBe(untied - 261 * 32)
  expect(countParameters({ ...config, qkvBias: true, outputBias: true })).toBe(untied + 2 * (64 + 2 * 32 + 32))
})
