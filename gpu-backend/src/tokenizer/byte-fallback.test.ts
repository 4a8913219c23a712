import { cp, mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Tokenizer } from './index.ts'

const fixtures = path.join(import.meta.dirname, '../../fixtures/byte-fallback')

interface Case {
  text: string
  ids: number[]
  decoded: string
}

const layouts = ['prepend', 'metaspace', 'words'] as const
/** By Python's tokenizers: scripts/byte_fallback.py. */
const reference = JSON.parse(readFileSync(path.join(fixtures, 'reference.json'), 'utf8')) as Record<
  (typeof layouts)[number],
  Case[]
>

async function load(layout: string): Promise<Tokenizer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  try {
    await cp(path.join(fixtures, `${layout}.json`), path.join(folder, 'tokenizer.json'))
    return await Tokenizer.load(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe.each(layouts)('SentencePiece’s kind, %s', async (layout) => {
  const tokenizer = await load(layout)

  test.each(reference[layout])('encodes and decodes $text as Python does', ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(decoded)
  })

  test('a character that has no token is spelled in bytes, and comes out with the last of them', () => {
    const decoder = tokenizer.streaming()
    const parts = tokenizer.encode('🙂', { continuing: true }).map((id) => decoder.push(id))
    expect(parts).toEqual(['', '', '', '🙂'])
  })

  test('what goes on another text keeps its spaces, and gets none', () => {
    const text = 'Say the thing\n\n  12'
    for (const at of [3, 4, 8, 13]) {
      const ids = [...tokenizer.encode(text.slice(0, at)), ...tokenizer.encode(text.slice(at), { continuing: true })]
      expect(tokenizer.decode(ids)).toBe(text)
    }
    const decoder = tokenizer.streaming()
    expect(
      tokenizer
        .encode(' the', { continuing: true })
        .map((id) => decoder.push(id))
        .join(''),
    ).toBe(' the')
  })
})
