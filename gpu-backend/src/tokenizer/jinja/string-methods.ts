/** The methods of Python's str. */
import { methods } from './collection-methods.ts'
import type { Method } from './collection-methods.ts'
import { assertSize, withinSize } from './budget.ts'
import {
  capitalize,
  casefold,
  digits,
  isLower,
  isTitle,
  isUpper,
  lower,
  numerals,
  swapcase,
  title,
  upper,
} from './case.ts'
import { fail } from './error.ts'
import { pad } from './format.ts'
import { iterate, toInteger } from './python.ts'
import { plain } from './stand-ins.ts'
import { characters, isSpace, lines, reversed, split, strip, textLength, words } from './text.ts'
import { Undefined, isTuple, tuple, typeName } from './values.ts'
import type { Value } from './values.ts'

/** A parameter that must be text. */
function text(value: Value | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Undefined) return value.fail()
  return fail(`must be str, not ${typeName(value ?? null)}`)
}

/** The same, for looking for it in what a text says. */
const plainText = (value: Value | undefined): string => plain(text(value))

const optionalText = (value: Value | undefined): string | null =>
  value === undefined || value === null ? null : text(value)
const limit = (value: Value | undefined): number => (value === undefined ? -1 : toInteger(value))

/** One of several texts, or the only one, as `startswith` takes them. */
function affixes(value: Value | undefined): string[] {
  return isTuple(value) ? value.take().map(plainText) : [plainText(value)]
}

/** Where a part of a text begins and ends, in code points; undefined if it would end before it begins. */
function range(self: string, start: Value = null, end: Value = null): [number, number] | undefined {
  const length = textLength(self)
  const index = (given: Value, otherwise: number): number => {
    const at = given === null ? otherwise : toInteger(given)
    return at < 0 ? Math.max(0, at + length) : at
  }
  const [from, to] = [index(start, 0), Math.min(length, index(end, length))]
  return from > to ? undefined : [from, to]
}

/** What a part of a text says. */
function part(self: string, start: Value = null, end: Value = null): string | undefined {
  if (start === null && end === null) return plain(self)
  const bounds = range(self, start, end)
  const found = bounds && characters(plain(self)).slice(...bounds)
  return found?.join('')
}

/** The index of a text in code points; -1 if it is not there. */
function find(self: string, wanted: string, start: Value = null, end: Value = null, last = false): bigint {
  const searched = part(self, start, end)
  const at = (last ? searched?.lastIndexOf(wanted) : searched?.indexOf(wanted)) ?? -1
  return at < 0 ? -1n : BigInt((range(self, start, end)?.[0] ?? 0) + textLength(searched!.slice(0, at)))
}

const found = (at: bigint): bigint => (at < 0n ? fail('substring not found') : at)

/** At most `count` times; every time if it is negative. */
export function replace(self: string, old: string, by: string, count: number): string {
  if (old !== '') return joinTexts(split(self, old, count), by)
  const parts = ['', ...characters(self), '']
  const isLimited = count >= 0 && count < parts.length - 1
  return joinTexts(isLimited ? [...parts.slice(0, count), parts.slice(count).join('')] : parts, by)
}

/** An empty text is between all characters. */
function occurrences(self: string | undefined, wanted: string): number {
  if (self === undefined) return 0
  return wanted === '' ? textLength(self) + 1 : split(self, wanted, -1).length - 1
}

/** Parts of a text before, at and after a separator. */
function partition(self: string, separator: string, at: number, whole: readonly string[]): Value {
  if (separator === '') fail('empty separator')
  if (at < 0) return tuple(...whole)
  const end = at + separator.length
  return tuple(self.slice(0, at), self.slice(at, end), self.slice(end))
}

/** Not empty, and every character is one of them. */
const every = (pattern: RegExp) => (self: string) => pattern.test(plain(self))

/** Tabs become spaces up to the next column that is a multiple of `size`. */
function expandtabs(self: string, size: number): string {
  let column = 0
  const write = (piece: string): string => {
    if (piece !== '\t') {
      column = piece === '\n' || piece === '\r' ? 0 : column + textLength(piece)
      return piece
    }
    const spaces = size > 0 ? size - (column % size) : 0
    column += spaces
    return pad('', spaces, '<')
  }
  return self.replace(/[\t\n\r]|[^\t\n\r]+/g, withinSize(write))
}

/** White space, or one separator; from the left or from the right. */
function cut(self: string, separator: string | null, most: number, fromRight: boolean): Value[] {
  if (separator === '') fail('empty separator')
  if (separator !== null) return split(self, separator, most, fromRight)
  return fromRight ? words(reversed(self), most).map(reversed).toReversed() : words(self, most)
}

const zfill = (self: string, width: number): string => {
  const mark = /^[-+]/.exec(self)?.[0] ?? ''
  return mark + pad(self.slice(mark.length), width - mark.length, '>', '0')
}

export const stringMethods: ReadonlyMap<string, Method<string>> = new Map(
  methods<string>({
    capitalize: ['', capitalize],
    casefold: ['', casefold],
    center: ['width fillchar?', (self, width, fill = ' ') => pad(self, toInteger(width!), '^', text(fill))],
    count: ['sub start? end?', (self, sub, start, end) => BigInt(occurrences(part(self, start, end), text(sub)))],
    endswith: [
      'suffix start? end?',
      (self, suffix, start, end) => affixes(suffix).some((one) => part(self, start, end)?.endsWith(one)),
    ],
    expandtabs: ['tabsize?', (self, size = 8n) => expandtabs(self, toInteger(size))],
    find: ['sub start? end?', (self, sub, start, end) => find(self, plainText(sub), start, end)],
    index: ['sub start? end?', (self, sub, start, end) => found(find(self, plainText(sub), start, end))],
    isalnum: ['', every(/^[\p{L}\p{N}]+$/u)],
    isalpha: ['', every(/^\p{L}+$/u)],
    isascii: ['', every(/^\p{ASCII}*$/u)],
    isdecimal: ['', every(/^\p{Nd}+$/u)],
    isdigit: ['', every(digits)],
    isidentifier: ['', every(/^[\p{XID_Start}_]\p{XID_Continue}*$/u)],
    islower: ['', isLower],
    isnumeric: ['', every(numerals)],
    isprintable: ['', every(/^(?:[^\p{C}\p{Z}]| )*$/u)],
    isspace: ['', (self) => self !== '' && characters(self).every(isSpace)],
    istitle: ['', isTitle],
    isupper: ['', isUpper],
    join: ['iterable', (self, items) => join(self, items!)],
    ljust: ['width fillchar?', (self, width, fill = ' ') => pad(self, toInteger(width!), '<', text(fill))],
    lower: ['', lower],
    lstrip: ['chars?', (self, chars) => strip(self, optionalText(chars), { right: false })],
    partition: ['sep', (self, sep) => partition(self, text(sep), plain(self).indexOf(plainText(sep)), [self, '', ''])],
    removeprefix: [
      'prefix',
      (self, prefix) => (plain(self).startsWith(plainText(prefix)) ? self.slice(text(prefix).length) : self),
    ],
    removesuffix: [
      'suffix',
      (self, suffix) =>
        plain(self).endsWith(plainText(suffix)) ? self.slice(0, self.length - text(suffix).length) : self,
    ],
    replace: ['old new count?', (self, old, by, count) => replace(self, text(old), text(by), limit(count))],
    rfind: ['sub start? end?', (self, sub, start, end) => find(self, plainText(sub), start, end, true)],
    rindex: ['sub start? end?', (self, sub, start, end) => found(find(self, plainText(sub), start, end, true))],
    rjust: ['width fillchar?', (self, width, fill = ' ') => pad(self, toInteger(width!), '>', text(fill))],
    rpartition: [
      'sep',
      (self, sep) => partition(self, text(sep), plain(self).lastIndexOf(plainText(sep)), ['', '', self]),
    ],
    rsplit: ['sep? maxsplit?', (self, sep, most) => cut(self, optionalText(sep), limit(most), true)],
    rstrip: ['chars?', (self, chars) => strip(self, optionalText(chars), { left: false })],
    split: ['sep? maxsplit?', (self, sep, most) => cut(self, optionalText(sep), limit(most), false)],
    splitlines: ['keepends?', (self, keep = false) => lines(self, keep === true)],
    startswith: [
      'prefix start? end?',
      (self, prefix, start, end) => affixes(prefix).some((one) => part(self, start, end)?.startsWith(one)),
    ],
    strip: ['chars?', (self, chars) => strip(self, optionalText(chars))],
    swapcase: ['', swapcase],
    title: ['', title],
    upper: ['', upper],
    zfill: ['width', (self, width) => zfill(self, toInteger(width!))],
  }),
)

function join(separator: string, items: Value): string {
  const texts = iterate(items).map((item, i) => {
    if (typeof item === 'string') return item
    return fail(`sequence item ${i}: expected str instance, ${typeName(item)} found`)
  })
  return joinTexts(texts, separator)
}

export function joinTexts(texts: readonly string[], separator: string): string {
  assertSize(texts.reduce((sum, { length }) => sum + length + separator.length, 0))
  return texts.join(separator)
}
