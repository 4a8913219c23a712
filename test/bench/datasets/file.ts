/** A dataset from a JSONL file, whose lines say which one it is. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { aime } from './aime.ts'
import { amc } from './amc.ts'
import { byEquivalence } from './dataset.ts'
import type { Dataset } from './dataset.ts'
import type { Format } from './format.ts'
import { gsm8k } from './gsm8k.ts'
import { math500 } from './math500.ts'
import { own } from './own.ts'

/** The first whose line fits is taken: those that ask for more come first. */
export const formats: readonly Format[] = [gsm8k, math500, aime, amc, own]

/** What reasoning models are told by their makers' model cards, so that the answer can be found. */
const INSTRUCTION = String.raw`Please reason step by step, and put your final answer within \boxed{}.`
const MAX_TOKENS = 32_768

/** A dataset cannot be read. The message says what to do. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError'
}

/** @throws {DatasetError} */
export async function readDataset(file: string): Promise<Dataset> {
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DatasetError(`cannot read ${file} (${error.code})`)
  })
  const lines = content
    .split('\n')
    .flatMap((line, at) => (line.trim() === '' ? [] : [{ value: parse(line, file, at + 1), at: at + 1 }]))
  const [first] = lines
  if (!first) throw new DatasetError(`${file} is empty: give a file with a problem on each line`)
  const format = formats.find(({ line }) => v.is(line, first.value))
  if (!format) throw new DatasetError(`${file}: ${unknownKeys(first.value)}`)
  const problems = lines.map(({ value, at }, index) => {
    const entry = v.safeParse(format.line, value)
    if (!entry.success)
      throw new DatasetError(`${file}, line ${at}, is not of ${format.name}: ${entry.issues[0].message}`)
    const { id = String(index), question, answer } = entry.output
    return { id, question: `${question}\n\n${INSTRUCTION}`, mark: byEquivalence(answer) }
  })
  if (new Set(problems.map(({ id }) => id)).size < problems.length)
    throw new DatasetError(`${file}: two problems have the same id`)
  return {
    name: `${format.name}:${path.basename(file)}`,
    maxTokens: MAX_TOKENS,
    problems: (limit) => problems.slice(0, limit),
  }
}

function parse(line: string, file: string, at: number): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new DatasetError(`${file}, line ${at}, is not JSON: give a file with an object on each line (JSONL)`)
  }
}

const unknownKeys = (value: unknown): string =>
  `its first line has ${Object.keys(Object(value)).join(', ') || 'no keys'}: give "question" and "answer", or a published file of ${formats
    .map(({ name }) => name)
    .join(', ')}`
