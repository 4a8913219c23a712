import { WORD } from './steps.ts'
import type { AddedToken } from './stored.ts'

/** An added token, or text that is to be split into words. */
export type Piece = { id: number } | { text: string; start: number }

/**
 * Finds added tokens in texts as Python's tokenizers does (`find_matches` in added_vocabulary.rs): the leftmost, of those
 * the longest.
 */
export class AddedTokens {
  readonly #byText: ReadonlyMap<string, AddedToken>
  readonly #pattern: RegExp

  /** @param tokens each with the text it is found by; of two with the same text the first counts */
  constructor(tokens: readonly (readonly [text: string, token: AddedToken])[]) {
    this.#byText = new Map(tokens.filter(([text]) => text !== '').toReversed())
    const longestFirst = [...this.#byText.keys()].toSorted((a, b) => b.length - a.length)
    this.#pattern = new RegExp(longestFirst.map(literal).join('|') || nowhere, 'gu')
  }

  split(text: string): Piece[] {
    const pieces: Piece[] = []
    let done = 0
    const textUntil = (end: number): void => {
      if (done < end) pieces.push({ text: text.slice(done, end), start: done })
    }
    for (const { 0: found, index } of text.matchAll(this.#pattern)) {
      const token = this.#byText.get(found)!
      const end = index + found.length
      if (token.single_word && (isAt(wordBefore, text, index) || isAt(wordAfter, text, end))) continue
      textUntil(token.lstrip ? beforeSpaces(text, done, index) : index)
      pieces.push({ id: token.id })
      done = token.rstrip ? afterSpaces(text, end) : end
    }
    textUntil(text.length)
    return pieces
  }
}

/** The pattern that matches nothing. */
export const nowhere = '(?!)'
/** A text as a regular expression's pattern, for the flag `u`. */
export const literal = (text: string): string =>
  Array.from(text, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).join('')

const wordBefore = new RegExp(`(?<=[${WORD}])`, 'uy')
const wordAfter = new RegExp(`[${WORD}]`, 'uy')

function isAt(pattern: RegExp, text: string, index: number): boolean {
  pattern.lastIndex = index
  return pattern.test(text)
}

/** JavaScript's \s, and `trim`, have U+FEFF and lack U+0085. */
const space = /\p{White_Space}/u

function beforeSpaces(text: string, least: number, end: number): number {
  let start = end
  while (start > least && space.test(text[start - 1]!)) start--
  return start
}

function afterSpaces(text: string, start: number): number {
  let end = start
  while (end < text.length && space.test(text[end]!)) end++
  return end
}
