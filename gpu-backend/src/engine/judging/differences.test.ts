import { expect, test } from 'vitest'
import { differences } from './differences.ts'

test('what both have is left out, and words that one has alone are named', () => {
  const a = 'Now add 47 and 38 to get the kites:\n47+30=77\n77+8=85\nThat makes 85 kites.\n\n'
  const b = 'The kites is 47+38:\n47+30=77\n77+8=85\nSo 85 drums.\n\n'
  expect(differences(a, b)).toEqual([
    {
      parts: 'Now add 47 and 38 to get the kites:\nThat makes 85 kites.',
      words: ['Now', 'add', 'and', 'to', 'get', 'That', 'makes'],
    },
    { parts: 'The kites is 47+38:\nSo 85 drums.', words: ['is', '+', 'So', 'drums'] },
  ])
})

test('clauses in another order are no difference, and numbers that change places are one', () => {
  const [a, b] = differences('Given: 3 rows, 12 seats, $5 each.', 'We know this: $5 each, 3 seats, 12 rows.')
  expect([a.parts, b.parts]).toEqual(['Given: 3 rows, 12 seats,', 'We know this: 3 seats, 12 rows.'])
  expect([a.words, b.words]).toEqual([['Given'], ['We', 'know', 'this']])
})

test('case makes no difference, and what stands twice must stand twice', () => {
  expect(differences('So it is.\n\n', 'so it is.')).toEqual([
    { parts: '', words: [] },
    { parts: '', words: [] },
  ])
  expect(differences('a, a, b', 'b, a').map(({ parts }) => parts)).toEqual(['a,', ''])
})

test('times and decimals are whole, signs are words, and letters of any script', () => {
  const [a, b] = differences('At 11:25 it is 3.5 ε+1', 'At 11:35 it is 3.5 ζ-1')
  expect([a.parts, b.parts]).toEqual(['At 11:25 it is 3.5 ε+1', 'At 11:35 it is 3.5 ζ-1'])
  expect([a.words, b.words]).toEqual([
    ['25', 'ε', '+'],
    ['35', 'ζ', '-'],
  ])
  expect(differences('', '')).toEqual([
    { parts: '', words: [] },
    { parts: '', words: [] },
  ])
})
