/** Python's formatting of values: `'%s' % value` and `'{}'.format(value)`. */
import { assertSize, withinSize } from './budget.ts'
import { fail } from './error.ts'
import { numberText, parted } from './number-text.ts'
import { ascii, floatText, isNumber, repr, str, toInteger, toNumber } from './python.ts'
import { characters, textLength } from './text.ts'
import { Dict, Undefined, isTuple, typeName, unmarked } from './values.ts'
import type { Value } from './values.ts'

/** A text on a field of so many characters. */
export function pad(text: string, width: number, align: '<' | '>' | '^', fill = ' '): string {
  const missing = width - textLength(text)
  if (missing <= 0) return text
  assertSize(width)
  const left = align === '<' ? 0 : align === '>' ? missing : Math.floor(missing / 2)
  return fill.repeat(left) + text + fill.repeat(missing - left)
}

/** `%` with a tuple, a dict for `%(name)s`, or one value. @param convert what `%s`, `%r` and `%a` make of a value */
export function formatPercent(format: string, given: Value, convert = converted): string {
  const values = isTuple(given) ? [...given.take()] : [given]
  const take = () => (values.length > 0 ? values.shift()! : fail('not enough arguments for format string'))
  const write = (_: string, key?: string, flags = '', size = '', precision?: string, type = ''): string => {
    if (type === '%') return '%'
    const width = size === '*' ? toInteger(take()) : Number(size)
    const value = key === undefined ? take() : named(given, key)
    const places = precision === undefined ? undefined : Number(precision)
    if ('sra'.includes(type)) return pad(cut(convert(value, type), places), width, alignOf(flags))
    return percentField(value, type, flags, width, places)
  }
  const text = format.replace(/%(?:\(([^)]*)\))?([-#0 +]*)(\*|\d*)(?:\.(\d*))?([^])/g, withinSize(write))
  if (values.length > 0 && !(given instanceof Dict) && !Array.isArray(given))
    fail('not all arguments converted during string formatting')
  return text
}

function named(given: Value, key: string): Value {
  if (!(given instanceof Dict)) return fail('format requires a mapping')
  const value = given.get(key)
  return value === undefined ? fail(`there is no value for %(${key})`) : value
}

const alignOf = (flags: string): '<' | '>' => (flags.includes('-') ? '<' : '>')

function percentField(value: Value, type: string, flags: string, width: number, places: number | undefined): string {
  const align = alignOf(flags)
  if (!'cdiufFeEgGxXo'.includes(type)) fail(`unsupported format character '${type}'`)
  if (value instanceof Undefined) return value.fail()
  if (type === 'c') return pad(character(value), width, align)
  if (!isNumber(value)) return fail(`%${type} format: a real number is required, not ${typeName(value)}`)
  const plus = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  const style = { type: 'iu'.includes(type) ? 'd' : type, alternate: flags.includes('#') }
  const text = 'dxXo'.includes(style.type)
    ? withDigits(numberText(style.type === 'd' ? wholePart(value) : toNumber(value), style), places)
    : numberText(Number(value), { ...style, places })
  const zeros = flags.includes('0') && align === '>'
  return onField(text, plus, width, zeros ? '=' : align, zeros ? '0' : ' ')
}

function wholePart(value: boolean | bigint | number): bigint {
  if (typeof value !== 'number') return BigInt(value)
  return Number.isFinite(value)
    ? BigInt(Math.trunc(value))
    : fail(`cannot convert float ${floatText(value)} to integer`)
}

/** `!s`, `!r` and `!a`. */
export function converted(value: Value, conversion: string): string {
  if (conversion === 's') return str(value)
  return conversion === 'a' ? ascii(value) : repr(value)
}

const cut = (text: string, places: number | undefined): string =>
  places === undefined ? text : characters(text).slice(0, places).join('')

/** By its number, or itself. */
function character(value: Value): string {
  if (typeof value === 'string' && textLength(value) === 1) return value
  if (typeof value !== 'bigint' && typeof value !== 'boolean') return fail('%c requires int or char')
  const code = Number(value)
  return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : fail('%c arg not in range(0x110000)')
}

/** `[[fill]align][sign][#][0][width][,][.precision][type]` */
const specPattern = /^(?:([^])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u

/** What stands after the colon of a field of `str.format`. */
export function formatValue(given: Value, spec: string): string {
  const value = unmarked(given)
  if (value instanceof Undefined) return spec === '' ? str(value) : value.fail()
  if (spec === '') return str(value)
  const [, fill, align, sign = '-', alternate, zero, width = '0', grouping = '', precision, type] =
    specPattern.exec(spec) ?? fail(`Invalid format specifier '${spec}'`)
  const places = precision === undefined ? undefined : Number(precision)
  const plus = sign === '-' ? '' : sign
  if (!isNumber(value) || (typeof value === 'boolean' && type === undefined && width === '0')) {
    if (typeof value !== 'string' && typeof value !== 'boolean')
      fail(`unsupported format string passed to ${typeName(value)}.__format__`)
    if (type !== undefined && type !== 's')
      fail(`Unknown format code '${type}' for object of type '${typeName(value)}'`)
    return pad(cut(str(value), places), Number(width), (align ?? '<') as '<', fill ?? (zero ? '0' : ' '))
  }
  if (type === 'c') return pad(character(value), Number(width), (align ?? '<') as '<', fill ?? ' ')
  const text = numberText(toNumber(value), { type, places, grouping, alternate: alternate !== undefined })
  return onField(text, plus, Number(width), (align ?? (zero ? '=' : '>')) as '=', fill ?? (zero ? '0' : ' '))
}

/** The sign stands before the fill where the alignment is `=`. */
function onField(text: string, plus: string, width: number, align: '<' | '>' | '^' | '=', fill: string): string {
  const [own, digits] = parted(text)
  const mark = own.startsWith('-') ? own : plus + own
  return align === '=' ? mark + pad(digits, width - mark.length, '>', fill) : pad(mark + digits, width, align, fill)
}

/** With so many digits at least. */
function withDigits(text: string, least = 0): string {
  const [mark, digits] = parted(text)
  return mark + pad(digits, least, '>', '0')
}
