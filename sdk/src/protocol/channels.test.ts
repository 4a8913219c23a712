import { describe, expect, test } from 'vitest'
import { ChannelSplitter, channelsAfter, tagsIn } from './channels.ts'

interface Channels {
  reasoning: string
  answer: string
}

/** What a text becomes that goes on a prompt, fed in these pieces. */
function split(pieces: readonly string[], prompt = ''): Channels {
  // The state has to stand its way over the wire.
  const splitter = new ChannelSplitter(JSON.parse(JSON.stringify(channelsAfter(prompt))) as { thinking: boolean })
  const joined = { reasoning: '', answer: '' }
  for (const delta of [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.flush()]) {
    expect(delta.text).not.toBe('')
    joined[delta.channel] += delta.text
  }
  return joined
}

/** The same wherever it is cut in three, and between any two characters. */
function expectSplit(text: string, expected: Channels, prompt = ''): void {
  expect(split([text], prompt)).toEqual(expected)
  expect(split(text.split(''), prompt)).toEqual(expected)
  for (let i = 0; i <= text.length; i++)
    for (let j = i; j <= text.length; j++)
      expect(split([text.slice(0, i), text.slice(i, j), text.slice(j)], prompt)).toEqual(expected)
}

const text = 'First 1 < 2.\n\nThen </thin> air.\n\n</think>\n\nThe answer\nis <b>3</b>.\n'
const channels = { reasoning: 'First 1 < 2.\n\nThen </thin> air.', answer: 'The answer\nis <b>3</b>.\n' }

test('reasoning ends at </think>, wherever the text is cut', () => expectSplit(text, channels, '<think>\n'))

test('text that opens with <think> itself is split like text that starts inside', () =>
  expectSplit(`\n<think>\n${text}`, channels))

test('a text without tags is all answer, and loses nothing', () => {
  expectSplit(' plain text ', { reasoning: '', answer: ' plain text ' })
  expectSplit(' <thin> air', { reasoning: '', answer: ' <thin> air' })
  expectSplit(' <thi', { reasoning: '', answer: ' <thi' })
  expectSplit('\n\n', { reasoning: '', answer: '\n\n' })
})

test('reasoning that never closes loses nothing', () =>
  expectSplit('still thinking </th', { reasoning: 'still thinking </th', answer: '' }, '<think>'))

describe('a tag is never text', () => {
  test.each([
    ['<think> again after the prompt opened it', '\n<think>\nHm', { reasoning: 'Hm', answer: '' }, '<think>\n'],
    ['<think> amid reasoning', 'Let me <think> hm', { reasoning: 'Let me hm', answer: '' }, '<think>'],
    ['</think> amid the answer', 'so </think> 3', { reasoning: '', answer: 'so 3' }, ''],
    [
      'thinking that is taken up again',
      'a\n</think>\nb\n<think>\nc\n</think>\nd',
      { reasoning: 'a\nc', answer: 'b\nd' },
      '<think>',
    ],
    ['empty thinking', '<think>\n\n</think>\n\nYes', { reasoning: '', answer: 'Yes' }, ''],
  ])('%s', (_, output, expected, prompt) => expectSplit(output, expected, prompt))
})

describe('the whole prompt decides where the output begins', () => {
  test.each([
    ['inside a block that it left open', 'Q\n<think>\nLet me', ' see.</think>3', { reasoning: ' see.', answer: '3' }],
    ['after blocks that it closed', '<think>a</think>b<think>c</think>\nSo', ' 3', { reasoning: '', answer: ' 3' }],
    ['behind a tag, whose white space goes on', '<think>\n\n</think>\n', '\nYes', { reasoning: '', answer: 'Yes' }],
    ['inside a closing tag', '<think>a\n</thi', 'nk>\nb', { reasoning: '', answer: 'b' }],
    ['inside an opening tag', 'Q: <', 'think>a', { reasoning: 'a', answer: '' }],
    ['in what proves to be no tag', '<think>a\n</thi', 's', { reasoning: 's', answer: '' }],
    ['in white space that proves to be text', '<think>a\n', 'b', { reasoning: 'b', answer: '' }],
  ])('%s', (_, prompt, output, expected) => expectSplit(output, expected, prompt))
})

test('pieces in order leave nothing out of the text', () => {
  const whole = `${text}<think> more </think>`
  const splitter = new ChannelSplitter(channelsAfter('<think>'))
  const pieces = whole
    .split('')
    .flatMap((character) => splitter.cut(character))
    .concat(splitter.cutRest())
  expect(pieces.map((piece) => piece.text).join('')).toBe(whole)
})

test('tags of a text, in order', () => {
  expect(tagsIn('a</think>b<thin>c<think>')).toEqual(['</think>', '<think>'])
})

test('what was released does not come again, and still counts', () => {
  const splitter = new ChannelSplitter({ thinking: true })
  expect(splitter.push('a\n\n</thi')).toEqual([{ channel: 'reasoning', text: 'a' }])
  expect([splitter.release(), splitter.release()]).toEqual(['\n\n</thi', ''])
  expect(splitter.push('nk>\nb')).toEqual([{ channel: 'answer', text: 'b' }])
})

test('a long text of white space or of tags takes no long time', () => {
  for (const long of [' '.repeat(2 ** 20), '<think>'.repeat(2 ** 16), '<'.repeat(2 ** 20)])
    expect(channelsAfter(long)).toBeDefined()
})
