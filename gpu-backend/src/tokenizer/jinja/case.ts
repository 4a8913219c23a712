/** Python's small and large letters, where they are not JavaScript's. */
import { plain } from './stand-ins.ts'
import { characters } from './text.ts'

export const lower = (text: string): string => text.toLowerCase()
export const upper = (text: string): string => text.toUpperCase()

/** Large, of a word, small: four times. */
const digraphs = 'ǄǅǆǇǈǉǊǋǌǱǲǳ'
/** Numbers of Chinese, which Unicode counts among the letters. */
const hanNumbers =
  '㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零' +
  '\uf96b\uf973\uf978\uf9b2\uf9d1\uf9d3\uf9fd𠀁𠁤𠃢𠄡𠤪𠦃𠦌𠦜𠫪𠫽𠬙𢎐𢦘𣬛𦉭\u{2f890}'

/** A character as a word begins with it. Source: Unicode's UnicodeData.txt and SpecialCasing.txt. */
function titled(character: string): string {
  const large = upper(character)
  if (/[ǄǅǆǇǈǉǊǋǌǱǲǳ]/.test(character)) return 'ǅǈǋǲ'[Math.floor(digraphs.indexOf(character) / 3)]!
  if (/[ა-ჺჽ-ჿ]/.test(character)) return character
  if (/[ßևﬀ-ﬆﬓ-ﬗ]/.test(character)) return large[0] + lower(large.slice(1))
  if (!/[\u1f80-\u1fff]/.test(character)) return large
  const withSubscript = large.replace(/(?<=.)Ι$/, '\u0345')
  return withSubscript.length === 2 ? withSubscript.normalize() : withSubscript
}

export function capitalize(text: string): string {
  const [first = ''] = characters(text)
  return titled(first) + lower(text).slice(lower(first).length)
}

/** A letter after anything that has no case begins a word. */
export const title = (text: string): string =>
  text.replace(/\p{Cased}+/gu, (word, at: number) => {
    const [first = ''] = characters(word)
    return titled(first) + lowerWithin(text, at + first.length, at + word.length)
  })

export const swapcase = (text: string): string =>
  text.replace(/(\p{Uppercase}+)|\p{Lowercase}+/gu, (run, large: string | undefined, at: number) =>
    large === undefined ? upper(run) : lowerWithin(text, at, at + run.length),
  )

/** A part of a text in small letters: a sigma is another where its word ends. */
function lowerWithin(text: string, start: number, end: number): string {
  const part = text.slice(start, end)
  if (!part.includes('Σ')) return lower(part)
  const before = text.slice(Math.max(0, start - 16), start)
  return lower(before + text.slice(start, end + 16)).slice(lower(before).length, lower(before + part).length)
}

/** For comparing without regard to case. Cherokee is folded to its large letters, which are the older ones. */
export const casefold = (text: string): string =>
  characters(text)
    .map((character) => {
      if (/[Ꭰ-Ᏽᏸ-ᏽꭰ-ꮿ]/.test(character)) return upper(character)
      return character === 'ı' ? character : lower(upper(lower(character)))
    })
    .join('')

/** Whether it has a letter of this case, and none of another. */
export const isLower = (text: string): boolean =>
  /\p{Lowercase}/u.test(plain(text)) && !/[\p{Uppercase}\p{Lt}]/u.test(plain(text))
export const isUpper = (text: string): boolean =>
  /\p{Uppercase}/u.test(plain(text)) && !/[\p{Lowercase}\p{Lt}]/u.test(plain(text))

export function isTitle(text: string): boolean {
  const words = plain(text).match(/[\p{Uppercase}\p{Lowercase}\p{Lt}]+/gu)
  return words !== null && words.every((word) => /^[\p{Uppercase}\p{Lt}]\p{Lowercase}*$/u.test(word))
}

/** Digits that are not decimal: superscripts, circled ones and the like. */
const OTHER_DIGITS =
  '²³¹፩-፱᧚⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒\\u{10a40}-\\u{10a43}\\u{10e60}-\\u{10e68}\\u{11052}-\\u{1105a}\\u{1f100}-\\u{1f10a}'
export const digits = new RegExp(`^[\\p{Nd}${OTHER_DIGITS}]+$`, 'u')
export const numerals = new RegExp(`^[\\p{N}${hanNumbers}]+$`, 'u')
