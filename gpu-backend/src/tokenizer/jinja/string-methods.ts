/** The methods of Python's str. */
import { methods } from './collection-methods.ts'
import type { Method } from './collection-methods.ts'
import { assertSize } from './budget.ts'
import { fail } from './error.ts'
import { pad } from './format.ts'
import { slice } from './operators.ts'
import { iterate, toInteger } from './python.ts'
import { characters, isSpace, lines, reversed, split, strip, textLength, words } from './text.ts'
import { Undefined, isTuple, tuple, typeName } from './values.ts'
import type { Value } from './values.ts'

/** A parameter that must be text. */
function text(value: Value | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Undefined) return value.fail()
  return fail(`must be str, not ${typeName(value ?? null)}`)
}

const optionalText = (value: Value | undefined): string | null =>
  value === undefined || value === null ? null : text(value)
const limit = (value: Value | undefined): number => (value === undefined ? -1 : toInteger(value))

/** One of several texts, or the only one, as `startswith` takes them. */
function affixes(value: Value | undefined): string[] {
  return isTuple(value) ? value.take().map(text) : [text(value)]
}

/** The index of a text in code points; -1 if it is not there. */
function find(self: string, wanted: string, start: Value = null, end: Value = null, last = false): bigint {
  const from = slice(self, start, null, null) as string
  const skipped = textLength(self) - textLength(from)
  const part = start === null && end === null ? self : (slice(self, start, end, null) as string)
  const at = last ? part.lastIndexOf(wanted) : part.indexOf(wanted)
  return at < 0 ? -1n : BigInt(skipped + textLength(part.slice(0, at)))
}

const found = (at: bigint): bigint => (at < 0n ? fail('substring not found') : at)

/** At most `count` times; every time if it is negative. */
export function replace(self: string, old: string, by: string, count: number): string {
  const parts = old === '' ? ['', ...characters(self), ''] : self.split(old)
  const isLimited = count >= 0 && count < parts.length - 1
  return joinTexts(isLimited ? [...parts.slice(0, count), parts.slice(count).join(old)] : parts, by)
}

const occurrences = (self: string, part: string): number =>
  part === '' ? textLength(self) + 1 : self.split(part).length - 1

/** Parts of a text before, at and after a separator. */
function partition(self: string, separator: string, at: number, whole: readonly string[]): Value {
  if (separator === '') fail('empty separator')
  if (at < 0) return tuple(...whole)
  return tuple(self.slice(0, at), separator, self.slice(at + separator.length))
}

/** Not empty, and every character is one of them. */
const every = (pattern: RegExp) => (self: string) => pattern.test(self)
const lower = (self: string): string => self.toLowerCase()
const upper = (self: string): string => self.toUpperCase()

export function capitalize(self: string): string {
  const [first = '', ...rest] = characters(self)
  return first.toUpperCase() + rest.join('').toLowerCase()
}

/** A letter after anything that is none begins a word. */
const title = (self: string): string => self.replace(/\p{L}[\p{L}\p{M}]*/gu, (word) => capitalize(word))

const isCased = (self: string, inCase: (text: string) => string): boolean =>
  inCase(self) === self && lower(self) !== upper(self)

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
    casefold: ['', (self) => lower(self).replaceAll('ß', 'ss')],
    center: ['width fillchar?', (self, width, fill = ' ') => pad(self, toInteger(width!), '^', text(fill))],
    count: ['sub', (self, sub) => BigInt(occurrences(self, text(sub)))],
    endswith: ['suffix', (self, suffix) => affixes(suffix).some((one) => self.endsWith(one))],
    find: ['sub start? end?', (self, sub, start, end) => find(self, text(sub), start, end)],
    index: ['sub start? end?', (self, sub, start, end) => found(find(self, text(sub), start, end))],
    isalnum: ['', every(/^[\p{L}\p{N}]+$/u)],
    isalpha: ['', every(/^\p{L}+$/u)],
    isascii: ['', every(/^\p{ASCII}*$/u)],
    isdecimal: ['', every(/^\p{Nd}+$/u)],
    isdigit: ['', every(/^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]+$/u)],
    islower: ['', (self) => isCased(self, lower)],
    isnumeric: ['', every(/^\p{N}+$/u)],
    isspace: ['', (self) => self !== '' && characters(self).every(isSpace)],
    istitle: ['', (self) => title(self) === self && lower(self) !== upper(self)],
    isupper: ['', (self) => isCased(self, upper)],
    join: ['iterable', (self, items) => join(self, items!)],
    ljust: ['width fillchar?', (self, width, fill = ' ') => pad(self, toInteger(width!), '<', text(fill))],
    lower: ['', lower],
    lstrip: ['chars?', (self, chars) => strip(self, optionalText(chars), { right: false })],
    partition: ['sep', (self, sep) => partition(self, text(sep), self.indexOf(text(sep)), [self, '', ''])],
    removeprefix: [
      'prefix',
      (self, prefix) => (self.startsWith(text(prefix)) ? self.slice(text(prefix).length) : self),
    ],
    removesuffix: [
      'suffix',
      (self, suffix) => (self.endsWith(text(suffix)) ? self.slice(0, self.length - text(suffix).length) : self),
    ],
    replace: ['old new count?', (self, old, by, count) => replace(self, text(old), text(by), limit(count))],
    rfind: ['sub start? end?', (self, sub, start, end) => find(self, text(sub), start, end, true)],
    rindex: ['sub start? end?', (self, sub, start, end) => found(find(self, text(sub), start, end, true))],
    rjust: ['width fillchar?', (self, width, fill = ' ') => pad(self, toInteger(width!), '>', text(fill))],
    rpartition: ['sep', (self, sep) => partition(self, text(sep), self.lastIndexOf(text(sep)), ['', '', self])],
    rsplit: ['sep? maxsplit?', (self, sep, most) => cut(self, optionalText(sep), limit(most), true)],
    rstrip: ['chars?', (self, chars) => strip(self, optionalText(chars), { left: false })],
    split: ['sep? maxsplit?', (self, sep, most) => cut(self, optionalText(sep), limit(most), false)],
    splitlines: ['keepends?', (self, keep = false) => lines(self, keep === true)],
    startswith: ['prefix', (self, prefix) => affixes(prefix).some((one) => self.startsWith(one))],
    strip: ['chars?', (self, chars) => strip(self, optionalText(chars))],
    swapcase: [
      '',
      (self) =>
        characters(self)
          .map((one) => (lower(one) === one ? upper(one) : lower(one)))
          .join(''),
    ],
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
