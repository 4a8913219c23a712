/** Strings as Python has them: a sequence of code points, not of UTF-16 units. */

import { plain } from './stand-ins.ts'

/** Code points beyond U+FFFF are two units of a string. */
const isAstral = (text: string): boolean => /[\ud800-\udbff][\udc00-\udfff]/.test(text)

export function characters(text: string): string[] {
  return isAstral(text) ? Array.from(text) : text.split('')
}

export function textLength(text: string): number {
  return isAstral(text) ? Array.from(text).length : text.length
}

/** What is white to `str.strip` and `str.split`, and what ends a line for `str.splitlines`. */
const spaces = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
)
const breaks = new Set('\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029')
export const isSpace = (character: string): boolean => spaces.has(character)
const isBreak = (character: string): boolean => breaks.has(character)

/** A pattern whose `\s` is Python's: JavaScript's has U+FEFF besides, and has neither U+001C to U+001F nor U+0085. */
export const pythonic = ({ source, flags }: RegExp): RegExp =>
  new RegExp(source.replaceAll('\\s', `[${[...spaces].join('')}]`), flags)

/** Decimal digits of all scripts as those of ASCII: the ten of a script follow one another. */
export const decimal = (text: string): string =>
  text.replace(/[^\P{Nd}0-9]/gu, (digit) => {
    const code = digit.codePointAt(0)!
    let zero = code
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--
    return String((code - zero) % 10)
  })

/** The first index from `start` on whose character is wanted; the text's length if there is none. */
function indexFrom(text: string, start: number, isWanted: (character: string) => boolean): number {
  let at = start
  while (at < text.length && !isWanted(text[at]!)) at++
  return at
}

/** Takes characters away at the sides; those of `chars`, or white ones. */
export function strip(text: string, chars: string | null, { left = true, right = true } = {}): string {
  const set = chars === null ? spaces : new Set(characters(plain(chars)))
  let start = 0
  let end = text.length
  if (left)
    while (start < end) {
      const character = String.fromCodePoint(text.codePointAt(start)!)
      if (!set.has(plain(character))) break
      start += character.length
    }
  if (right)
    while (start < end) {
      const pair = end - start > 1 ? text.slice(end - 2, end) : ''
      const character = isAstral(pair) ? pair : text[end - 1]!
      if (!set.has(plain(character))) break
      end -= character.length
    }
  return text.slice(start, end)
}

/** At most `limit` cuts, from the left or from the right; all if it is negative. */
export function split(text: string, separator: string, limit: number, fromRight = false): string[] {
  const parts = cut(text, separator)
  if (limit < 0 || parts.length <= limit + 1) return parts
  const lengthOf = (cutOff: readonly string[]) => cutOff.reduce((sum, part) => sum + part.length + separator.length, 0)
  if (fromRight) {
    const last = parts.slice(parts.length - limit)
    return [text.slice(0, text.length - lengthOf(last)), ...last]
  }
  const first = parts.slice(0, limit)
  return [...first, text.slice(lengthOf(first))]
}

/** Cuts a text at every separator. */
function cut(text: string, separator: string): string[] {
  let start = 0
  return plain(text)
    .split(plain(separator))
    .map(({ length }) => {
      const part = text.slice(start, start + length)
      start += length + separator.length
      return part
    })
}

/** The words between white space. What is left after `limit` cuts is one, with the space that ends it. */
export function words(text: string, limit: number): string[] {
  const found: string[] = []
  const next = (from: number) => indexFrom(text, from, (character) => !isSpace(character))
  for (let start = next(0); start < text.length;) {
    const end = found.length === limit ? text.length : indexFrom(text, start, isSpace)
    found.push(text.slice(start, end))
    start = next(end)
  }
  return found
}

export const reversed = (text: string): string => characters(text).toReversed().join('')

export function lines(text: string, keepEnds = false): string[] {
  const found: string[] = []
  for (let start = 0; start < text.length;) {
    const end = indexFrom(text, start, isBreak)
    const next = end + (text.startsWith('\r\n', end) ? 2 : 1)
    found.push(text.slice(start, keepEnds ? next : end))
    start = next
  }
  return found
}
