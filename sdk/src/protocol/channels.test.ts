import { expect, test } from 'vitest'
import { ChannelSplitter } from './channels.ts'

const text = 'First 1 < 2.\n\nThen </thin> air.\n\n</think>\n\nThe answer is </think> 3.\n'
const expected = { reasoning: 'First 1 < 2.\n\nThen </thin> air.', answer: 'The answer is </think> 3.\n' }

function split(pieces: string[], thinking = true): { reasoning: string; answer: string } {
  const splitter = new ChannelSplitter(thinking)
  const joined = { reasoning: '', answer: '' }
  for (const delta of [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.flush()])
    joined[delta.channel] += delta.text
  return joined
}

test('wherever the text is cut in three, the channels are the same', () => {
  for (let i = 0; i <= text.length; i++)
    for (let j = i; j <= text.length; j++)
      expect(split([text.slice(0, i), text.slice(i, j), text.slice(j)])).toEqual(expected)
  expect(split(text.split(''))).toEqual(expected)
})

test('reasoning that never closes loses nothing', () => {
  expect(split(['still think', 'ing </th'])).toEqual({ reasoning: 'still thinking </th', answer: '' })
})

test('text that does not start inside <think> is all answer', () => {
  expect(split([' plain', ' text '], false)).toEqual({ reasoning: '', answer: ' plain text ' })
})

test('text that opens with <think> itself is split like text that starts inside', () => {
  const opened = `\n<think>\n${text}`
  for (let i = 0; i <= opened.length; i++) expect(split([opened.slice(0, i), opened.slice(i)], false)).toEqual(expected)
  expect(split(opened.split(''), false)).toEqual(expected)
  expect(split([' <thi', 'n> air'], false)).toEqual({ reasoning: '', answer: ' <thin> air' })
  expect(split([' <thi'], false)).toEqual({ reasoning: '', answer: ' <thi' })
})
