import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Tokenizer } from '../../tokenizer/index.ts'
import { OutputText } from '../text/output.ts'
import { CertainOutput } from './certain-output.ts'

const tokenizer = await Tokenizer.load(path.join(import.meta.dirname, '../../../models/target'))
const tokens = tokenizer.encode('Two birds sit in the tree.')
const outputOf = (room: number, stops: string[] = []) => new CertainOutput(new OutputText(tokenizer, stops), room)

let clock = 1_000
beforeEach(() => void vi.spyOn(performance, 'now').mockImplementation(() => clock))
afterEach(() => vi.restoreAllMocks())

test('each delta has what came since the last one, and none comes too soon after another', () => {
  const output = outputOf(100)
  const said: string[] = []
  const told: number[] = []
  for (const [i] of tokens.entries()) {
    output.grow(tokens.slice(0, i + 1))
    clock += 15
    for (const delta of output.deltas()) {
      said.push(delta.text)
      told.push(...delta.tokens)
    }
  }
  expect(said.length).toBeLessThan(tokens.length)
  clock += 100
  for (const delta of output.deltas()) said.push(delta.text)
  expect(said.join('')).toBe('Two birds sit in the tree.')
  expect(told).toEqual(tokens.slice(0, told.length))
  expect([...output.deltas()]).toEqual([])
})

test('it grows to as many tokens as there is room for', () => {
  const output = outputOf(3)
  output.grow(tokens.slice(0, 2))
  expect(output.isFull).toBe(false)
  output.grow(tokens)
  expect([output.tokens, output.isFull]).toEqual([tokens.slice(0, 3), true])
})

test('and no further than a stop string', () => {
  const output = outputOf(100, [' sit'])
  output.grow(tokens)
  expect([output.text, output.stopped]).toEqual(['Two birds', true])
  expect(tokenizer.decode(output.tokens)).toBe('Two birds sit')
})
