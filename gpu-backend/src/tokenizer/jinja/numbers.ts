/** Jinja's filters that make numbers. Source: jinja2/filters.py. */
import { spend } from './budget.ts'
import { fail } from './error.ts'
import { floatOf } from './literals.ts'
import { rounded } from './number-text.ts'
import { isNumber, toInteger, toNumber } from './python.ts'
import { plain } from './stand-ins.ts'
import { decimal, strip } from './text.ts'
import { Undefined, typeName } from './values.ts'
import type { Value } from './values.ts'

/** Digits at most: Python reads no longer numbers either. */
const LONGEST = 4300

export function round(value: Value, precision: Value = 0n, method: Value = 'common'): Value {
  if (value instanceof Undefined) return value.fail()
  if (!isNumber(value)) return fail(`type ${typeName(value)} doesn't define __round__ method`)
  const [number, places] = [toNumber(value), toInteger(precision)]
  if (method === 'common') {
    if (places < 0) return roundTens(number, -places)
    return typeof number === 'bigint' || places > 100 ? number : Number(rounded(number, places))
  }
  const scale = 10 ** places
  if (method === 'ceil') return Math.ceil(Number(number) * scale) / scale
  if (method === 'floor') return Math.floor(Number(number) * scale) / scale
  return fail('method must be common, ceil or floor')
}

/** To tens, hundreds and so on; what lies in the middle goes to the even one. */
function roundTens(number: bigint | number, zeros: number): bigint | number {
  if (typeof number === 'number' && !Number.isFinite(number)) return number
  // No number is longer.
  const unit = 10n ** BigInt(Math.min(zeros, LONGEST + 1))
  const whole = BigInt(typeof number === 'bigint' ? number : Math.trunc(number))
  const size = whole < 0n ? -whole : whole
  const beyond = (size % unit) * 2n
  const hasMore = typeof number === 'number' && !Number.isInteger(number)
  const isUp = beyond > unit || (beyond === unit && (hasMore || (size / unit) % 2n === 1n))
  const result = (size / unit + (isUp ? 1n : 0n)) * unit
  if (typeof number === 'bigint') return number < 0n ? -result : result
  return number < 0 || Object.is(number, -0) ? -Number(result) : Number(result)
}

/** A number of bytes as people read it. */
export function filesizeformat(value: Value, binary: Value = false): string {
  const bytes = typeof value === 'string' ? floatIn(value) : isNumber(value) ? Number(value) : undefined
  if (bytes === undefined || Number.isNaN(bytes)) return fail(`could not convert ${typeName(value)} to float`)
  const base = binary === true ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base)
    return Number.isFinite(bytes)
      ? `${BigInt(Math.trunc(bytes))} Bytes`
      : fail('cannot convert float infinity to integer')
  const prefixes = [base === 1024 ? 'K' : 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
  const at = prefixes.findIndex((_, i) => bytes < base ** (i + 2))
  const power = at < 0 ? prefixes.length - 1 : at
  return `${rounded((base * bytes) / base ** (power + 2), 1)} ${prefixes[power]}${base === 1024 ? 'i' : ''}B`
}

export function toInt(value: Value, otherwise: Value = 0n, base: Value = 10n): Value {
  if (value instanceof Undefined) return value.fail()
  if (typeof value === 'string') return integerIn(value, toInteger(base)) ?? truncated(floatIn(value), otherwise)
  if (value === Infinity || value === -Infinity) return fail('cannot convert float infinity to integer')
  if (typeof value === 'number') return truncated(value, otherwise)
  return isNumber(value) ? toNumber(value) : otherwise
}

const truncated = (number: number | undefined, otherwise: Value): Value =>
  number === undefined || !Number.isFinite(number) ? otherwise : BigInt(Math.trunc(number))

export function toFloat(value: Value, otherwise: Value = 0): Value {
  if (value instanceof Undefined) return value.fail()
  if (isNumber(value)) return Number(value)
  return (typeof value === 'string' ? floatIn(value) : undefined) ?? otherwise
}

const number =
  /^([-+]?)(?:((?:\d+(?:_\d+)*\.?|(?:\d+(?:_\d+)*)?\.\d+(?:_\d+)*)(?:e[-+]?\d+(?:_\d+)*)?)|(inf)(?:inity)?|nan)$/i
const radices: Readonly<Record<string, number>> = { '0b': 2, '0o': 8, '0x': 16 }

/** Python takes these for white space elsewhere, but not around numbers. */
const separators = ['\x1c', '\x1d', '\x1e', '\x1f']

/** What a number's text says, in digits of ASCII. */
const ascii = (text: string): string =>
  separators.some((one) => text.includes(one)) ? text : decimal(strip(plain(text), null))

/** As Python's `int(text, base)`; undefined if it would refuse. */
function integerIn(text: string, base: number): bigint | undefined {
  const [, sign, body = ''] = /^([-+]?)(\w+)$/.exec(ascii(text)) ?? []
  const marked = radices[body.slice(0, 2).toLowerCase()]
  const isMarked = marked !== undefined && (base === 0 || base === marked)
  const radix = isMarked ? marked : base === 0 ? 10 : base
  const digits = isMarked ? body.slice(2).replace('_', '') : body
  const isAmbiguous = base === 0 && !isMarked && /^0[_0]*[1-9]/.test(digits)
  if (isAmbiguous || digits.length > LONGEST || !/^[\da-z]+(?:_[\da-z]+)*$/i.test(digits)) return undefined
  spend(digits.length)
  let value = 0n
  for (const digit of digits.replaceAll('_', '')) {
    const ones = Number.parseInt(digit, 36)
    if (ones >= radix || radix > 36) return undefined
    value = value * BigInt(radix) + BigInt(ones)
  }
  return sign === '-' ? -value : value
}

/** As Python's `float(text)`; undefined if it would refuse. */
function floatIn(text: string): number | undefined {
  const [whole, sign, digits, infinite] = number.exec(ascii(text)) ?? []
  if (whole === undefined) return undefined
  const size = digits === undefined ? (infinite ? Infinity : Number.NaN) : floatOf(digits)
  return sign === '-' ? -size : size
}
