/** Python's formatting of values: `'%s' % value` and `'{}'.format(value)`. */
import { assertSize } from './budget.ts'
import { fail } from './error.ts'
import { floatText, isNumber, repr, str, toInteger, toNumber } from './python.ts'
import { characters, textLength } from './text.ts'
import { Dict, Undefined, isTuple, typeName } from './values.ts'
import type { Value } from './values.ts'

/** A text on a field of so many characters. */
export function pad(text: string, width: number, align: '<' | '>' | '^', fill = ' '): string {
  const missing = width - textLength(text)
  if (missing <= 0) return text
  assertSize(width)
  const left = align === '<' ? 0 : align === '>' ? missing : Math.floor(missing / 2)
  return fill.repeat(left) + text + fill.repeat(missing - left)
}

/** `%` with a tuple, a dict for `%(name)s`, or one value. */
export function formatPercent(format: string, given: Value): string {
  const values = isTuple(given) ? [...given.take()] : [given]
  const text = format.replace(
    /%(?:\(([^)]*)\))?([-#0 +]*)(\*|\d*)(?:\.(\d*))?([^])/g,
    (_, key: string | undefined, flags: string, size: string, precision: string | undefined, type: string) => {
      if (type === '%') return '%'
      const take = () => (values.length > 0 ? values.shift()! : fail('not enough arguments for format string'))
      const width = size === '*' ? toInteger(take()) : Number(size)
      const value = key === undefined ? take() : named(given, key)
      const places = precision === undefined ? undefined : Number(precision)
      return percentField(value, type, flags, width, places)
    },
  )
  if (values.length > 0 && !(given instanceof Dict) && !Array.isArray(given))
    fail('not all arguments converted during string formatting')
  return text
}

function named(given: Value, key: string): Value {
  if (!(given instanceof Dict)) return fail('format requires a mapping')
  const value = given.get(key)
  return value === undefined ? fail(`there is no value for %(${key})`) : value
}

function percentField(value: Value, type: string, flags: string, width: number, places: number | undefined): string {
  const align = flags.includes('-') ? '<' : '>'
  if ('sra'.includes(type)) {
    const text = type === 's' ? str(value) : repr(value)
    return pad(places === undefined ? text : characters(text).slice(0, places).join(''), width, align)
  }
  if (!'diufFeExXo'.includes(type)) fail(`unsupported format character '${type}'`)
  if (value instanceof Undefined) return value.fail()
  if (!isNumber(value)) return fail(`%${type} format: a real number is required, not ${typeName(value)}`)
  const plus = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  const code = 'iu'.includes(type) ? 'd' : type
  const number = code === 'd' || 'xXo'.includes(code) ? wholePart(toNumber(value)) : Number(value)
  const zeros = flags.includes('0') && align === '>'
  return onField(numberText(number, code, places, ''), plus, width, zeros ? '=' : align, zeros ? '0' : ' ')
}

const wholePart = (value: bigint | number): bigint => (typeof value === 'bigint' ? value : BigInt(Math.trunc(value)))

/** `[[fill]align][sign][#][0][width][,][.precision][type]` */
const specPattern = /^(?:([^])?([<>=^]))?([-+ ])?#?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u

/** What stands after the colon of a field of `str.format`. */
export function formatValue(value: Value, spec: string): string {
  if (value instanceof Undefined) return spec === '' ? str(value) : value.fail()
  if (spec === '') return str(value)
  const [, fill, align, sign = '-', zero, width = '0', grouping = '', precision, type] =
    specPattern.exec(spec) ?? fail(`Invalid format specifier '${spec}'`)
  const places = precision === undefined ? undefined : Number(precision)
  const plus = sign === '-' ? '' : sign
  if (!isNumber(value) || (typeof value === 'boolean' && type === undefined && width === '0')) {
    if (typeof value !== 'string' && typeof value !== 'boolean')
      fail(`unsupported format string passed to ${typeName(value)}.__format__`)
    if (type !== undefined && type !== 's')
      fail(`Unknown format code '${type}' for object of type '${typeName(value)}'`)
    const text = str(value)
    const cut = places === undefined ? text : characters(text).slice(0, places).join('')
    return pad(cut, Number(width), (align ?? '<') as '<', fill ?? (zero ? '0' : ' '))
  }
  const number = toNumber(value)
  const text = numberText(number, type, places, grouping)
  return onField(text, plus, Number(width), (align ?? (zero ? '=' : '>')) as '=', fill ?? (zero ? '0' : ' '))
}

/** The sign stands before the fill where the alignment is `=`. */
function onField(text: string, plus: string, width: number, align: '<' | '>' | '^' | '=', fill: string): string {
  const mark = text.startsWith('-') ? '-' : plus
  const digits = text.startsWith('-') ? text.slice(1) : text
  return align === '=' ? mark + pad(digits, width - mark.length, '>', fill) : pad(mark + digits, width, align, fill)
}

function numberText(
  value: bigint | number,
  type: string | undefined,
  places: number | undefined,
  grouping: string,
): string {
  const isWhole = typeof value === 'bigint'
  const radix = { b: 2, o: 8, x: 16, X: 16 }[type ?? '']
  if (radix || type === 'd' || type === 'n' || (isWhole && type === undefined)) {
    if (!isWhole) return fail(`Unknown format code '${type}' for object of type 'float'`)
    const text = value.toString(radix)
    return grouped(type === 'X' ? text.toUpperCase() : text, grouping)
  }
  const number = Number(value)
  switch (type) {
    case 'f':
    case 'F':
      return grouped(rounded(number, places ?? 6), grouping)
    case '%':
      return `${rounded(number * 100, places ?? 6)}%`
    case 'e':
    case 'E': {
      const text = number.toExponential(places ?? 6).replace(/e([-+])(\d)$/, 'e$10$2')
      return type === 'E' ? text.toUpperCase() : text
    }
    case undefined:
      if (places === undefined) return grouped(floatText(number), grouping)
      break
    default:
  }
  return fail(`the format code '${type ?? `.${places}`}' is not supported in templates`)
}

function grouped(text: string, mark: string): string {
  if (mark === '') return text
  const [whole, ...rest] = text.split('.') as [string, ...string[]]
  return [whole.replace(/\B(?=(?:\d{3})+$)/g, mark), ...rest].join('.')
}

/** With so many digits after the point; what lies in the middle goes to the even digit. */
export function rounded(value: number, places: number): string {
  if (!Number.isFinite(value)) return floatText(value)
  const digits = Math.min(places, 100)
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '')
  const awayFromZero = value.toFixed(digits)
  const exact = value.toFixed(Math.min(100, digits + 40))
  const rest = exact.slice(exact.length - Math.min(100 - digits, 40))
  const towardsZero = exact.slice(0, exact.length - rest.length).replace(/\.$/, '')
  return /^50*$/.test(rest) && Number(towardsZero.at(-1)) % 2 === 0 ? towardsZero : awayFromZero
}
