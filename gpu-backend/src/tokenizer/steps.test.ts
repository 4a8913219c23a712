/** By Python's tokenizers: scripts/tokenizer_steps.py. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Tokenizer } from './index.ts'

const fixtures = path.join(import.meta.dirname, '../../fixtures/tokenizer-steps')
const read = (name: string): unknown => JSON.parse(readFileSync(path.join(fixtures, name), 'utf8'))

interface Reference {
  tokenizer: object
  texts: string[]
  /** What each changes in the tokenizer, and the ids of each text. */
  layouts: Record<string, { change: object; ids: number[][] }>
}
const { tokenizer: common, texts, layouts } = read('reference.json') as Reference

async function load(stored: object): Promise<Tokenizer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  try {
    await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(stored))
    return await Tokenizer.load(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test.each(Object.entries(layouts))('encodes as Python does: %s', async (_, { change, ids }) => {
  const tokenizer = await load({ ...common, ...change })
  const encoded = texts.map((text) => tokenizer.encode(text))
  expect(Object.fromEntries(texts.map((text, i) => [text, encoded[i]]))).toEqual(
    Object.fromEntries(texts.map((text, i) => [text, ids[i]])),
  )
})

describe('words that every object of JavaScript knows', async () => {
  interface Members {
    names: string[]
    tokenizer: { model: object; added_tokens: object[] }
    cases: { text: string; ids: number[] }[]
  }
  const { names, tokenizer: stored, cases } = read('members.json') as Members
  const tokenizer = await load(stored)

  test.each(cases)('$text: as Python does, and back', ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.decode(ids)).toBe(text)
  })

  test.each(names)('%s: a token, and an added token', async (name) => {
    const id = tokenizer.tokenId(name)!
    expect(tokenizer.encode(name)).toEqual([id])
    expect(new TextDecoder().decode(tokenizer.decodeToken(id))).toBe(name)
    const token = { id: 900, content: name, special: true, single_word: false, lstrip: false, rstrip: false }
    const { vocab } = stored.model as { vocab: Record<string, number> }
    const model = {
      ...stored.model,
      vocab: Object.fromEntries(Object.entries(vocab).filter(([word]) => word !== name)),
    }
    const added = await load({ ...stored, model, added_tokens: [{ ...token, normalized: false }] })
    expect(added.encode(`x${name}y`)).toEqual([...added.encode('x'), 900, ...added.encode('y')])
    expect(added.decode([900], { skipSpecial: false })).toBe(name)
  })

  test('and none of them is a token of a tokenizer without it', async () => {
    const { model } = stored
    const { vocab } = model as { vocab: Record<string, number> }
    const letters = Object.fromEntries(Object.entries(vocab).filter(([word]) => word.length === 1))
    const plain = await load({ ...stored, model: { ...model, vocab: letters } })
    for (const name of names) {
      expect(plain.tokenId(name)).toBeUndefined()
      expect(plain.encode(name)).toHaveLength(name.length)
    }
  })
})
