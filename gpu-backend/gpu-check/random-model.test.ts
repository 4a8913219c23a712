import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tokensAfter } from '../bench/forwards.ts'
import { assertBuildable } from '../src/graph/index.ts'
import { readDecoderConfig } from '../src/checkpoint/index.ts'
import { Model, type TopScores } from '../src/model/index.ts'
import { writeRandomModel } from './random-model.ts'
import { shapes } from './shapes.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(root, { recursive: true }))

/** The head is larger than what its numbers are drawn from, as those of real shapes are. */
const shape = { ...shapes.tiny, hidden_size: 512, vocab_size: 4096 } as unknown as typeof shapes.tiny

test('tokens are not equally likely, nothing ends a text, and the checkpoint is one that an engine takes', async () => {
  const [folder, cacheDir] = [path.join(root, 'model'), path.join(root, 'cache')]
  const { signal } = new AbortController()
  await writeRandomModel(folder, cacheDir, shape, { device: 'cpu', weights: 'fp32' }, signal)
  const config = await readDecoderConfig(folder)
  await assertBuildable(folder, config, { device: 'cpu' })
  const checkpoint = await stat(path.join(folder, 'model.safetensors'))
  expect(checkpoint.blocks * 512).toBeLessThan(checkpoint.size / 10)
  using model = await Model.load(folder, { slots: 64, device: 'cpu', cacheDir })
  expect(model.generation.eosTokenIds).toEqual([])
  const reduced = { temperature: 1, suffices: () => true }
  const [scores] = await model.forward([{ ...tokensAfter(0, 8), reduced }])
  const { logits } = scores as TopScores
  expect(new Set(logits).size).toBe(64)
  expect(logits.at(-1)).toBeGreaterThan(0)
  // What is there stays.
  await writeRandomModel(folder, cacheDir, shape, { device: 'cpu', weights: 'fp32' }, signal)
  expect((await stat(path.join(folder, 'model.safetensors'))).mtimeMs).toBe(checkpoint.mtimeMs)
})
