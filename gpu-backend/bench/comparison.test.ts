import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Tokenizer } from '../src/tokenizer/index.ts'
import { compare } from './comparison.ts'
import { comparisons } from './contenders/contender.ts'
import { ContenderProcess } from './contenders/process.ts'

const checkpoint = path.join(import.meta.dirname, '../models/draft')

let workFolder: string
beforeAll(async () => {
  workFolder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(workFolder, { recursive: true }))

test('a runtime that cannot be measured is reported with the reason, and the others are measured', async () => {
  const tokenizer = await Tokenizer.load(checkpoint)
  const prompts = ['Ann has 3 books.', 'Tom buys 12 pens.'].map((text) => tokenizer.encode(text))
  const [own, ...others] = await compare({
    folder: checkpoint,
    precision: 'fp32',
    prompts,
    maxTokens: 8,
    threads: 1,
    workFolder,
    without: 'not installed',
  })
  expect(own).toMatchObject({ name: 'lookahead fp32', equal: 2, prompts: 2, relative: { low: 1, median: 1, high: 1 } })
  expect(own).toHaveProperty(
    'tokensPerSecond.median',
    expect.toSatisfy((speed: number) => speed > 0),
  )
  expect(others.map((other) => other.name)).toEqual([
    'transformers.js fp32',
    'node-llama-cpp f32',
    'node-llama-cpp f16',
  ])
  for (const other of others) expect(other).toHaveProperty('unavailable', 'not installed')
})

test('a model that cannot be loaded fails with the message of its process', async () => {
  const opening = ContenderProcess.open(comparisons.fp32[0]!, { model: path.join(workFolder, 'nowhere'), threads: 1 })
  await expect(opening).rejects.toThrow('no model folder at')
})
