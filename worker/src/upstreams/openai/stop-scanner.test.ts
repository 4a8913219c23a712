import { describe, expect, test } from 'vitest'
import { StopScanner } from './stop-scanner.ts'

const ANSWER = { thinking: false }
const THINKING = { thinking: true }

/** What is told after each piece, and at the end. */
function told(stops: string[], pieces: string[], { inReasoning = false, after = ANSWER } = {}) {
  const watch = new StopScanner(stops, inReasoning, { after_tag: false, partial_tag: '', ...after })
  const each = [...pieces.map((piece) => watch.push(piece)), watch.flush()]
  return { each, text: each.join(''), stopped: watch.stopped }
}

describe('a stop string', () => {
  test('that comes in pieces ends the text before it, and nothing of it was told', () => {
    expect(told(['STOP'], ['a S', 'TO', 'P b', 'c'])).toEqual({
      each: ['a ', '', '', '', ''],
      text: 'a ',
      stopped: true,
    })
  })

  test('that only began is told once that is plain, or at the end', () => {
    expect(told(['STOP'], ['a ST', 'AR', ' STO']).each).toEqual(['a ', 'STAR', ' ', 'STO'])
    expect(told(['aab'], ['a', 'a', 'a', 'b', 'x'])).toMatchObject({ each: ['', '', 'a', '', '', ''], stopped: true })
  })

  test('of several, the one that begins first ends the text, whichever ends first', () => {
    expect(told(['b', 'abc'], ['xabcb'])).toMatchObject({ text: 'x', stopped: true })
    expect(told(['cd', 'bcd'], ['ab', 'cd'])).toMatchObject({ text: 'a', stopped: true })
    expect(told(['two', 'one'], ['0 one two'])).toMatchObject({ text: '0 ', stopped: true })
  })

  test('is none where there are none', () => {
    expect(told([], ['a <think>b', '</think> c'])).toMatchObject({ text: 'a <think>b</think> c', stopped: false })
  })
})

describe('thinking', () => {
  const pieces = ['a STOP</th', 'ink>\n\nb ST', 'OP c']

  test('is not looked at, by default: the answer’s first one counts', () => {
    expect(told(['STOP'], pieces, { after: THINKING })).toMatchObject({ text: 'a STOP</think>\n\nb ', stopped: true })
    expect(told(['STOP'], ['<think>STOP</think>x'])).toMatchObject({ text: '<think>STOP</think>x', stopped: false })
  })

  test('is, with `stop_in_reasoning`, tags and all', () => {
    expect(told(['STOP'], pieces, { inReasoning: true, after: THINKING })).toMatchObject({ text: 'a ', stopped: true })
    expect(told(['</think>'], pieces, { inReasoning: true, after: THINKING }).text).toBe('a STOP')
  })

  test('divides a stop string, which then is none', () => {
    const text = 'ST<think>hm</think>OP STOP'
    expect(told(['STOP'], text.split(''))).toMatchObject({ text: 'ST<think>hm</think>OP ', stopped: true })
  })
})

test('however long a stop string is, and however much of it came: a character costs a few steps', () => {
  const length = 2_000_000
  const begun = 'a'.repeat(length)
  // Held against every length of what came, character by character, this would take minutes.
  expect(told([`${begun}a${'b'.repeat(9)}`], [begun, 'c'])).toMatchObject({ text: `${begun}c`, stopped: false })
})
