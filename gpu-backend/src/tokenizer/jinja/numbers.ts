/** Jinja's filters that make numbers. Source: jinja2/filters.py. */
import { fail } from './error.ts'
import { rounded } from './format.ts'
import { floatOf, integerOf } from './literals.ts'
import { isNumber, toInteger, toNumber } from './python.ts'
import { Undefined, typeName } from './values.ts'
import type { Value } from './values.ts'

export function round(value: Value, precision: Value = 0n, method: Value = 'common'): Value {
  if (value instanceof Undefined) return value.fail()
  if (!isNumber(value)) return fail(`type ${typeName(value)} doesn't define __round__ method`)
  const [number, places] = [toNumber(value), toInteger(precision)]
  if (method === 'common' && places >= 0) return typeof number === 'bigint' ? number : Number(rounded(number, places))
  const scale = 10 ** places
  if (method === 'ceil') return Math.ceil(Number(number) * scale) / scale
  if (method === 'floor') return Math.floor(Number(number) * scale) / scale
  return method === 'common'
    ? fail('round() needs a precision of 0 or more here')
    : fail('method must be common, ceil or floor')
}

export function toInt(value: Value, otherwise: Value = 0n, base: Value = 10n): Value {
  if (value instanceof Undefined) return value.fail()
  if (isNumber(value))
    return typeof value === 'number'
      ? Number.isFinite(value)
        ? BigInt(Math.trunc(value))
        : otherwise
      : toNumber(value)
  if (typeof value !== 'string') return otherwise
  const prefix = { 2: '0b', 8: '0o', 16: '0x' }[toInteger(base)] ?? ''
  const [, mark, digits] = /^\s*([-+]?)(?:0[box])?(\w+)\s*$/i.exec(value) ?? []
  try {
    if (digits !== undefined) return integerOf(prefix + digits) * (mark === '-' ? -1n : 1n)
  } catch {
    // No whole number; perhaps it is another.
  }
  const number = toFloat(value, null)
  return number === null || !Number.isFinite(number) ? otherwise : BigInt(Math.trunc(number as number))
}

export function toFloat(value: Value, otherwise: Value = 0): Value {
  if (value instanceof Undefined) return value.fail()
  if (isNumber(value)) return Number(value)
  const isText =
    typeof value === 'string' && /^\s*[-+]?(?:\d[\d_]*\.?[\d_]*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)\s*$/i.test(value)
  return isText ? floatOf(value) : otherwise
}
