import { describe, expect, test } from 'vitest'
import { endsSentence } from './sentence.ts'

/** Cuts a text that comes in these pieces. */
function sentences(pieces: readonly string[]): string[] {
  const found: string[] = []
  let open = ''
  for (const piece of pieces) {
    open += piece
    if (!endsSentence(open)) continue
    found.push(open)
    open = ''
  }
  return open === '' ? found : [...found, open]
}

/** As tokenizers of today split text: white space goes with the word after it, and a dot with the letters after it. */
const words = (text: string): string[] =>
  text.match(/ ?\p{L}+|[^\s\p{L}\p{N}]\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+\n*|\s+/gu) ?? []

describe('a sentence ends', () => {
  test.each([
    ['with its dot', 'So be it. Next.', ['So be it.', ' Next.']],
    ['with other marks', 'Is it? Yes! Hm?!', ['Is it?', ' Yes!', ' Hm?!']],
    ['with what closes around it', '(So be it.) "Yes." *No.* End', ['(So be it.)', ' "Yes."', ' *No.*', ' End']],
    ['and its line with it', 'So be it.\n\nNext.\nMore', ['So be it.\n\n', 'Next.\n', 'More']],
    ['after a formula', 'so $x=3$. And 5%. Hm', ['so $x=3$.', ' And 5%.', ' Hm']],
    ['in scripts that have marks of their own', 'यह है। هل؟ 日本。 次', ['यह है।', ' هل؟', ' 日本。', ' 次']],
    ['with dots, where white space shows that it does', 'Wait...\nHm... let me', ['Wait...\n', 'Hm... let me']],
  ])('%s', (_, text, found) => {
    expect(sentences(words(text))).toEqual(found)
  })
})

describe('after a number, a letter or a bracket', () => {
  test.each([
    ['it goes on, for a dot may be a decimal’s', 'It is 3.5 more. Yes', ['It is 3.5 more.', ' Yes']],
    ['it goes on also where the dot was its end', 'It is 3. So be it. Yes', ['It is 3. So be it.', ' Yes']],
    ['it ends with its line', 'It is 3.\nSo f(x).\nHm', ['It is 3.\n', 'So f(x).\n', 'Hm']],
    ['it ends with other marks', 'Is it 3? Or x? Yes', ['Is it 3?', ' Or x?', ' Yes']],
  ])('%s', (_, text, found) => {
    expect(sentences(words(text))).toEqual(found)
  })

  test('it ends with white space that comes by itself', () => {
    expect(sentences(['It is 3', '.', ' ', 'Then', ' x', '.', ' ', 'So'])).toEqual(['It is 3. ', 'Then x. ', 'So'])
    expect(sentences(['as', ' e', '.', 'g', '.', ' ', 'cats', '.'])).toEqual(['as e.g. cats.'])
    expect(sentences(['1', '.', ' ', 'One', '\n', '2', '.', ' ', 'Two'])).toEqual(['1. One\n2. Two'])
  })
})

test.each([
  'the value 3.5 of numpy.array, f(x).y and example.com',
  'Mr. Smith, Dr. Who and Prof. X',
  'e.g. cats, i.e. pets of the U.S. market at 5 a.m. today',
  '1. First\n2. Second\n(a) third\nb. fourth',
  '5! = 120 and n! and (n+1)! too',
  'about approx. 5 vs. 6, see Fig. 3',
  '1, 2, ..., n and so on',
  'what?no, yes!no',
  '... . ? !',
  'a word',
])('no sentence ends in %j', (text) => {
  expect(sentences(words(text))).toEqual([text])
})

test('a long text of marks takes no long time', () => {
  for (const mark of ['.', '!', '. ', '"', '.a', '1. ', ' ']) endsSentence(mark.repeat(1_000_000))
})
