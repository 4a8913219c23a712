import { cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Model, causalRow } from '../model/index.ts'
import { Session } from '../onnxruntime/index.ts'
import type { ModelRunner } from './model-runner.ts'
import { likeliest } from './sampling/distribution.ts'
import { Engine } from './engine.ts'

const shipped = path.join(import.meta.dirname, '../../models')

let models: string
beforeEach(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await symlink(path.join(shipped, 'target'), path.join(models, 'target'))
  await cp(path.join(shipped, 'draft'), path.join(models, 'draft'), { recursive: true })
})
afterEach(() => rm(models, { recursive: true }))

interface Stored {
  model: { vocab: Record<string, number> }
  added_tokens: { id: number; content: string }[]
}

async function changeDraftTokens(change: (stored: Stored) => void): Promise<void> {
  const file = path.join(models, 'draft', 'tokenizer.json')
  const stored = JSON.parse(await readFile(file, 'utf8')) as Stored
  change(stored)
  await writeFile(file, JSON.stringify(stored))
}

test('a draft whose tokens are not the target’s is refused by the first that differs, before models are loaded', async () => {
  await rm(path.join(models, 'draft', 'model.safetensors'))
  await changeDraftTokens(({ added_tokens: added }) => Object.assign(added[1]!, { content: '<other>' }))
  const loading = Engine.load({ models, slots: 256 })
  await expect(loading).rejects.toMatchObject({ name: 'ModelError', code: 'unsupported' })
  await expect(loading).rejects.toThrow(/draft cannot draft for .*target: its token \d+ is "<other>"/)
})

test('what is not supported is refused by name before any model is loaded', async () => {
  const loaded = vi.spyOn(Model, 'load')
  const file = path.join(models, 'draft', 'config.json')
  const config = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...config, rope_scaling: { rope_type: 'dynamic', factor: 2 } }))
  await expect(Engine.load({ models, slots: 256 })).rejects.toThrow('dynamic')
  await writeFile(file, JSON.stringify({ ...config, num_hidden_layers: 9 }))
  await expect(Engine.load({ models, slots: 256 })).rejects.toThrow(/model\.layers\.\d\./)
  expect(loaded).not.toHaveBeenCalled()
  loaded.mockRestore()
})

test('models of one checkpoint have its weights in memory once', async () => {
  await rm(path.join(models, 'draft'), { recursive: true })
  await symlink(path.join(shipped, 'target'), path.join(models, 'draft'))
  const opened = vi.spyOn(Session, 'open')
  const engine = await Engine.load({ models, slots: 256 })
  const other = await Engine.load({ models, slots: 256 })
  // A target on two cores has a second session, of one thread.
  const sessions = engine.target.model.leavesCore ? 2 : 1
  expect(opened.mock.calls.filter(([model]) => typeof model === 'string').length).toBe(sessions)
  opened.mockRestore()
  const text = [5, 6, 7]
  const likeliestOf = async ({ model }: ModelRunner) =>
    likeliest((await model.forward([causalRow(text, [0, 1, 2])]))[0]!)
  const expected = await likeliestOf(engine.target)
  expect(await Promise.all([engine.target, engine.draft!, other.target].map(likeliestOf))).toEqual(
    Array.from({ length: 3 }, () => expected),
  )
  engine.close()
  expect(await likeliestOf(other.draft!)).toBe(expected)
  other.close()
})

test('another draft is loaded by the name of its folder, which must be there', async () => {
  await rename(path.join(models, 'draft'), path.join(models, 'second'))
  const [without, engine] = [
    await Engine.load({ models, slots: 256 }),
    await Engine.load({ models, draft: 'second', slots: 256 }),
  ]
  expect([without.draft, engine.draft?.model.config.layers]).toEqual([undefined, 2])
  for (const each of [without, engine]) each.close()
  const loading = Engine.load({ models, draft: 'third', slots: 256 })
  await expect(loading).rejects.toMatchObject({ name: 'ModelError', code: 'not_found' })
  await expect(loading).rejects.toThrow(/no draft model at .*third: .*--draft/)
})

test('a draft may know fewer tokens than the target', async () => {
  await changeDraftTokens(({ added_tokens: added }) => added.pop())
  const engine = await Engine.load({ models, slots: 256 })
  expect(engine.runners.map(({ role }) => role)).toEqual(['target', 'draft'])
  engine.close()
})

test('a judge that cannot be asked is refused before any model is loaded, with what to do', async () => {
  const loaded = vi.spyOn(Model, 'load')
  const judge = path.join(models, 'judge')
  await cp(path.join(import.meta.dirname, '../../fixtures/tiny-qwen3'), judge, { recursive: true })
  await rm(path.join(judge, 'chat_template.jinja'))
  await expect(Engine.load({ models, slots: 256 })).rejects.toMatchObject({
    name: 'ModelError',
    code: 'unsupported',
    message: expect.stringMatching(/judge cannot be the judge: .*no chat template.*--judge none/) as unknown,
  })
  expect(loaded).not.toHaveBeenCalled()
  loaded.mockRestore()
  const engine = await Engine.load({ models, slots: 256, judge: false })
  expect(engine.runners.map(({ role }) => role)).toEqual(['target', 'draft'])
  engine.close()
})

test('loading can be stopped', async () => {
  await expect(Engine.load({ models, slots: 256, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  )
})
