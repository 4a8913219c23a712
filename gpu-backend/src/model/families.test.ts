import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Model, joinedLogits } from './index.ts'

interface Reference {
  ids: number[]
  positions: number[]
  /** `changes` are made to the checkpoint's config.json; `logits`: float32 [positions, vocabulary] in base64. */
  cases: { checkpoint: string; changes: Record<string, unknown>; logits: string }[]
}

const families = path.join(import.meta.dirname, '../../fixtures/families')
const { ids, positions, cases } = JSON.parse(readFileSync(path.join(families, 'reference.json'), 'utf8')) as Reference

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(root, { recursive: true }))

async function load(checkpoint: string, changes: Record<string, unknown>): Promise<Model> {
  const folder = await mkdtemp(path.join(root, checkpoint))
  await cp(path.join(families, 'tokenizer'), folder, { recursive: true })
  await cp(path.join(families, checkpoint), folder, { recursive: true })
  const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }))
  return Model.load(folder, { slots: ids.length, cacheDir: path.join(root, 'cache') })
}

test.each(cases.map((own) => [own.checkpoint, JSON.stringify(own.changes), own] as const))(
  '%s with %s gives the logits of PyTorch (if not: run scripts/families.py again)',
  async (_, __, { checkpoint, changes, logits }) => {
    const model = await load(checkpoint, changes)
    const slots = ids.map((_id, i) => i)
    const scores = await model.forward([
      {
        tokens: ids,
        positions: slots,
        writeSlots: slots,
        keySlots: slots,
        sees: ids.map((_id, i) => [[0, i + 1]]),
        logitRows: positions,
      },
    ])
    const own = joinedLogits(scores)
    const expected = new Float32Array(Uint8Array.from(Buffer.from(logits, 'base64')).buffer)
    expect(own.length).toBe(expected.length)
    const difference = own.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)
    // Measured: 1.1e-5 at most, with logits up to 6.5.
    expect(difference).toBeLessThan(1e-4)
    model.close()
  },
)
