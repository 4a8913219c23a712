import path from 'node:path'
import { channelsAfter } from '@lookahead/sdk/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import { Tokenizer } from '../../tokenizer/index.ts'
import { OutputText } from './output.ts'
import type { OutputOptions } from './output.ts'

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await Tokenizer.load(path.join(import.meta.dirname, '../../../models/target'))
})

interface Case extends OutputOptions {
  stops: string[]
  /** Tokens in which no stop string may end. Default 0. */
  least?: number
  /** What stands before the text, and so decides where it begins. Default: stop strings count everywhere. */
  prompt?: string
}

/** Writes a text token by token; what was released is never taken back, and its length never depends on what follows. */
function write(text: string, { stops, least = 0, prompt, ...options }: Case) {
  const answerAfter = prompt === undefined ? undefined : channelsAfter(prompt)
  const output = new OutputText(tokenizer, stops, { ...options, answerAfter })
  let written = ''
  for (const [i, token] of tokenizer.encode(text, { continuing: true }).entries())
    written += output.push(token, i >= least)
  return { text: written + output.flush(), stop: output.stop }
}

describe('a least length', () => {
  const text = 'one two three four'
  const count = (part: string): number => tokenizer.encode(part).length

  test('a stop string that begins within it and ends after it is seen', () => {
    for (let least = 0; least < count('one two three'); least++)
      expect(write(text, { stops: ['two three'], least })).toEqual({ text: 'one ', stop: 'two three' })
  })

  test('one that ends within it is passed, and found where it comes again', () => {
    expect(write(text, { stops: ['two'], least: count('one two') })).toEqual({ text, stop: undefined })
    const twice = 'one two three two'
    expect(write(twice, { stops: ['two'], least: count('one two') })).toEqual({ text: 'one two three ', stop: 'two' })
  })

  test('one that ends within it stays passed while it may be part of a longer one', () => {
    const stops = ['two', 'one two threefold']
    expect(write(text, { stops, least: count('one two') })).toEqual({ text, stop: undefined })
  })

  test('a stop string that was passed may be shown where another one ends', () => {
    const stops = ['two', 'two three']
    expect(write(text, { stops, least: count('one two') })).toEqual({ text: 'one ', stop: 'two three' })
    expect(write(text, { stops, least: count('one two'), includeStop: true }).text).toBe('one two three')
  })
})

describe('stop strings of the answer alone', () => {
  const prompt = '<think>\n'
  const text = 'First.\n\nThen.\n</think>\n\nThe answer\n\nis 3.'

  test('do not count in the thinking, its tags, or the white space around them', () => {
    expect(write(text, { stops: ['\n\n'], prompt })).toEqual({
      text: 'First.\n\nThen.\n</think>\n\nThe answer',
      stop: '\n\n',
    })
    expect(write(text, { stops: ['First', 'think', '>\n\nThe'], prompt })).toEqual({ text, stop: undefined })
  })

  test('do not reach over a tag', () => {
    expect(write(text, { stops: ['Then.\n</think>\n\nThe', 'Then.The'], prompt })).toEqual({ text, stop: undefined })
    const again = 'One <think>hm</think> two'
    expect(write(again, { stops: ['One two', 'One  two'], prompt: '' })).toEqual({ text: again, stop: undefined })
  })

  test('count in the whole text where they are to', () => {
    expect(write(text, { stops: ['\n\n'] })).toEqual({ text: 'First.', stop: '\n\n' })
    expect(write(text, { stops: ['.\n</think>'] })).toEqual({ text: 'First.\n\nThen', stop: '.\n</think>' })
  })

  test('count from the start where the text is all answer', () => {
    const answer = '\n\nThe answer'
    expect(write(answer, { stops: ['\n\n'], prompt: 'Q: 1 + 2? A:' })).toEqual({ text: '', stop: '\n\n' })
    expect(write('\n\n', { stops: ['\n\n'], prompt: 'Q: 1 + 2? A:' })).toEqual({ text: '', stop: '\n\n' })
    expect(write(answer, { stops: ['\n\n'], prompt: 'Q<think>\n\n</think>\n\n' })).toEqual({
      text: answer,
      stop: undefined,
    })
  })

  test('do not count in thinking that is taken up again', () => {
    const again = 'a b<think>a c</think>a c d'
    expect(write(again, { stops: ['a c'], prompt: '' })).toEqual({ text: 'a b<think>a c</think>', stop: 'a c' })
  })

  test('a least length counts the thinking', () => {
    const stops = ['answer']
    const least = tokenizer.encode(text).length
    expect(write(text, { stops, prompt, least })).toEqual({ text, stop: undefined })
    expect(write('\n\nHello', { stops: ['\n\n'], prompt: '', least: 2 })).toEqual({
      text: '\n\nHello',
      stop: undefined,
    })
  })

  test('the thinking is out as it is written', () => {
    const output = new OutputText(tokenizer, ['\n\n'], { answerAfter: channelsAfter(prompt) })
    const thought = 'First.\n\nThen.\n\n'
    expect(
      tokenizer
        .encode(thought)
        .map((token) => output.push(token))
        .join(''),
    ).toBe(thought)
    const rest = '</think>\n\nYes.'
    expect(
      tokenizer
        .encode(rest)
        .map((token) => output.push(token))
        .join(''),
    ).toBe(rest)
  })
})
