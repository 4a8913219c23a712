/** Python's arithmetic, indices and slices. */
import type { Arithmetic, Comparison } from './ast.ts'
import { assertItems, assertSize } from './budget.ts'
import { fail } from './error.ts'
import { formatPercent } from './format.ts'
import { formatEscaped, joinEscaped, marked } from './markup.ts'
import { compare, contains, equals, isNumber, iterate, str, toInteger, toNumber } from './python.ts'
import { characters } from './text.ts'
import { Dict, Items, Markup, Undefined, isTuple, range, typeName, unmarked } from './values.ts'
import type { Value } from './values.ts'

/** Larger whole numbers Python would not print either. */
const LARGEST = 10n ** 4300n

export function arithmetic(operator: Arithmetic, a: Value, b: Value): Value {
  if (a instanceof Markup || b instanceof Markup) return escaped(operator, a, b)
  if (a instanceof Undefined) return a.fail()
  if (typeof a === 'string' && operator === '%') return formatPercent(a, b)
  if (b instanceof Undefined) return b.fail()
  if (isNumber(a) && isNumber(b)) return calculate(operator, toNumber(a), toNumber(b))
  if (operator === '+') {
    const joined = join(a, b)
    if (joined !== undefined) return joined
  }
  if (operator === '*') {
    const repeated = repeat(a, b) ?? repeat(b, a)
    if (repeated !== undefined) return repeated
  }
  return fail(
    `unsupported operand type(s) for ${operator === '**' ? '** or pow()' : operator}: '${typeName(a)}' and '${typeName(b)}'`,
  )
}

function escaped(operator: Arithmetic, a: Value, b: Value): Value {
  const [left, right] = [unmarked(a), unmarked(b)]
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return joinEscaped(a, b)
  if (operator === '%' && a instanceof Markup) return formatEscaped(a, b)
  const result = arithmetic(operator, left, right)
  return operator === '*' ? marked(result) : result
}

function calculate(operator: Arithmetic, a: bigint | number, b: bigint | number): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint' && operator !== '/' && !(operator === '**' && b < 0n))
    return bounded(wholeNumbers(operator, a, b))
  return floats(operator, Number(a), Number(b))
}

function wholeNumbers(operator: Exclude<Arithmetic, '/'>, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '**':
      if (BigInt(a.toString(16).length) * b > 2n ** 14n && a * a > 1n)
        fail('the template calculates with too large a number')
      return a ** b
    default:
  }
  if (b === 0n) fail(operator === '%' ? 'integer modulo by zero' : 'integer division or modulo by zero')
  // Python rounds down, BigInt towards zero.
  const rest = ((a % b) + b) % b
  return operator === '%' ? rest : (a - rest) / b
}

function bounded(value: bigint): bigint {
  return value < LARGEST && value > -LARGEST ? value : fail('the template calculates with too large a number')
}

function floats(operator: Arithmetic, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '**':
      if (a === 0 && b < 0) fail('0.0 cannot be raised to a negative power')
      return a ** b
    default:
  }
  if (b === 0)
    fail(operator === '/' ? 'division by zero' : `float ${operator === '%' ? 'modulo' : 'floor division'} by zero`)
  if (operator === '/') return a / b
  const rest = a - b * Math.floor(a / b)
  return operator === '%' ? rest : Math.floor(a / b)
}

function join(a: Value, b: Value): Value | undefined {
  if (typeof a === 'string') {
    if (typeof b !== 'string') return fail(`can only concatenate str (not "${typeName(b)}") to str`)
    assertSize(a.length + b.length)
    return a + b
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b)) return fail(`can only concatenate list (not "${typeName(b)}") to list`)
    assertItems(a.length + b.length)
    return [...a, ...b]
  }
  return isTuple(a) && isTuple(b) ? new Items('tuple', [...a.take(), ...b.take()]) : undefined
}

function repeat(value: Value, times: Value): Value | undefined {
  if (typeof times !== 'bigint' && typeof times !== 'boolean') return undefined
  const count = Math.max(0, Number(times))
  if (typeof value === 'string') {
    assertSize(value.length * count)
    return value.repeat(count)
  }
  if (!Array.isArray(value) && !isTuple(value)) return undefined
  const items = iterate(value)
  assertItems(items.length * count)
  const all = Array.from({ length: items.length * count }, (_, i) => items[i % items.length]!)
  return isTuple(value) ? new Items('tuple', all) : all
}

export function sign(mark: '+' | '-', value: Value): Value {
  if (value instanceof Undefined) return value.fail()
  if (!isNumber(value)) return fail(`bad operand type for unary ${mark}: '${typeName(value)}'`)
  return mark === '-' ? -toNumber(value) : toNumber(value)
}

export function holds(operator: Comparison, a: Value, b: Value): boolean {
  switch (operator) {
    case '==':
      return equals(a, b)
    case '!=':
      return !equals(a, b)
    case 'in':
      return contains(b, a)
    case 'not in':
      return !contains(b, a)
    case '<':
      return compare(a, b, operator) < 0
    case '<=':
      return compare(a, b, operator) <= 0
    case '>':
      return compare(a, b, operator) > 0
    default:
      return compare(a, b, operator) >= 0
  }
}

/** `~`: the texts of all values, one after the other. */
export function concat(values: readonly Value[]): string {
  const texts = values.map(str)
  assertSize(texts.reduce((sum, { length }) => sum + length, 0))
  return texts.join('')
}

/** `value[start:stop:step]`. */
export function slice(value: Value, start: Value, stop: Value, step: Value): Value {
  if (value instanceof Undefined) return value.fail()
  const by = step === null ? 1 : toInteger(step)
  if (value instanceof Markup) return marked(slice(value.text, start, stop, step))
  if (typeof value === 'string') return sliceItems(characters(value), start, stop, by).join('')
  if (Array.isArray(value)) return sliceItems(value, start, stop, by)
  if (isTuple(value)) return new Items('tuple', sliceItems(value.take(), start, stop, by))
  if (isIndexed(value)) return sliceRange(value, start, stop, by)
  return fail(`'${typeName(value)}' object is not subscriptable`)
}

export const isIndexed = (value: Value): value is Items =>
  value instanceof Items && (value.kind === 'tuple' || value.kind === 'range')

function sliceRange(given: Items, start: Value, stop: Value, step: number): Items {
  const [from, to] = bounds(given.size, start, stop, step)
  const [first, by] = ['start', 'step'].map((name) => toInteger(given.attributes.get(name)!)) as [number, number]
  return range(first + from * by, first + to * by, step * by)
}

/** The indices where a slice begins, and before which it ends. */
function bounds(length: number, start: Value, stop: Value, step: number): [number, number] {
  if (step === 0) fail('slice step cannot be zero')
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1]
  const bound = (given: Value, otherwise: number): number => {
    if (given === null) return otherwise
    const index = toInteger(given)
    return Math.min(high, Math.max(low, index < 0 ? index + length : index))
  }
  return step > 0 ? [bound(start, low), bound(stop, high)] : [bound(start, high), bound(stop, low)]
}

function sliceItems<Item>(items: readonly Item[], start: Value, stop: Value, step: number): Item[] {
  const [from, to] = bounds(items.length, start, stop, step)
  if (step === 1) return items.slice(from, Math.max(from, to))
  const chosen: Item[] = []
  for (let at = from; step > 0 ? at < to : at > to; at += step) chosen.push(items[at]!)
  return chosen
}

/** What stands at an index or under a key; undefined if nothing does. */
export function itemAt(value: Value, key: Value): Value | undefined {
  if (value instanceof Markup) {
    const character = itemAt(value.text, key)
    return character === undefined ? undefined : marked(character)
  }
  if (value instanceof Dict) return Array.isArray(key) || key instanceof Dict ? undefined : value.get(key)
  if (typeof key !== 'bigint' && typeof key !== 'boolean') return undefined
  if (typeof value !== 'string' && !Array.isArray(value) && !isIndexed(value)) return undefined
  const items = iterate(value)
  const index = Number(key)
  return items[index < 0 ? index + items.length : index]
}
