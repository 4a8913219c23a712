/** What Python's built-in functions say of a value: str, repr, bool, len, iter, ==, <, in. */
import { assertSize, spend } from './budget.ts'
import { fail } from './error.ts'
import { plain } from './stand-ins.ts'
import { characters, textLength } from './text.ts'
import { Dict, Instance, Items, Markup, Undefined, typeName, unmarked } from './values.ts'
import type { Value } from './values.ts'

/** As it is printed. */
export function str(value: Value): string {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  return value instanceof Undefined ? '' : repr(value)
}

/** As `repr`, in ASCII. */
export const ascii = (value: Value): string =>
  repr(value).replace(/\P{ASCII}/gu, (character) => {
    const code = plain(character).codePointAt(0)!
    return code < 0x80 ? character : hexEscape(code)
  })

/** As it is printed inside a list. */
export function repr(value: Value): string {
  spend()
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return floatText(value)
  if (typeof value === 'string') return quote(value)
  if (value instanceof Markup) return `Markup(${quote(value.text)})`
  if (Array.isArray(value)) return `[${series(value.map(repr))}]`
  if (value instanceof Dict)
    return `{${series(Array.from(value.entries(), ([key, item]) => `${repr(key)}: ${repr(item)}`))}}`
  if (value instanceof Items) return itemsText(value)
  return value instanceof Undefined ? 'Undefined' : value.repr()
}

function itemsText(value: Items): string {
  if (value.kind === 'generator') return '<generator object>'
  if (value.kind === 'range') return rangeText(value)
  const items = value.take()
  const inner = series(items.map(repr))
  if (value.kind === 'tuple') return items.length === 1 ? `(${inner},)` : `(${inner})`
  return `${value.kind}([${inner}])`
}

function rangeText({ attributes }: Items): string {
  const [start, stop, step] = ['start', 'stop', 'step'].map((name) => str(attributes.get(name)!))
  return `range(${start}, ${stop}${step === '1' ? '' : `, ${step}`})`
}

/** One value can stand in a list many times, so what is printed can be much longer than what there is. */
function series(texts: readonly string[]): string {
  assertSize(texts.reduce((sum, text) => sum + text.length, 0))
  return texts.join(', ')
}

export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  const text = Object.is(value, -0) ? '-0' : String(value)
  return text.includes('.') ? text : `${text}.0`
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const inner = text.replace(/[\\'"]|[^\P{C}]|[\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (character) => {
    if (character === "'" || character === '"') return character === mark ? `\\${character}` : character
    if (plain(character) !== character) return character
    return escapes[character] ?? hexEscape(character.codePointAt(0)!)
  })
  return mark + inner + mark
}

function hexEscape(code: number): string {
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

export function truth(value: Value): boolean {
  if (value === null) return false
  if (value instanceof Undefined) return false
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Dict) return value.size > 0
  if (value instanceof Items) return value.kind === 'generator' || value.take().length > 0
  return Boolean(unmarked(value))
}

export function length(value: Value): number {
  if (value instanceof Markup) return textLength(value.text)
  if (typeof value === 'string') return textLength(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Dict) return value.size
  if (value instanceof Undefined) return iterate(value).length
  if (value instanceof Items && value.kind !== 'generator') return value.take().length
  return fail(`object of type '${typeName(value)}' has no len()`)
}

export function isIterable(value: Value): boolean {
  return (
    typeof value === 'string' ||
    value instanceof Markup ||
    Array.isArray(value) ||
    value instanceof Dict ||
    value instanceof Items ||
    value instanceof Undefined
  )
}

export function iterate(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return characters(value)
  if (value instanceof Markup) return characters(value.text)
  if (value instanceof Dict) return value.keys()
  if (value instanceof Items) return value.take()
  if (value instanceof Undefined) return []
  return fail(`'${typeName(value)}' object is not iterable`)
}

/** Numbers, and booleans, which are numbers too. */
export const isNumber = (value: Value): value is boolean | bigint | number =>
  typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number'

export const toNumber = (value: boolean | bigint | number): bigint | number =>
  typeof value === 'boolean' ? BigInt(value) : value

export function equals(a: Value, b: Value): boolean {
  spend()
  if (a instanceof Markup || b instanceof Markup) return equals(unmarked(a), unmarked(b))
  // An int and a float of the same value are equal.
  // oxlint-disable-next-line eqeqeq
  if (isNumber(a) && isNumber(b)) return toNumber(a) == toNumber(b)
  if (a instanceof Dict && b instanceof Dict)
    return (
      a.size === b.size && Array.from(a.entries()).every(([key, value]) => b.has(key) && equals(value, b.get(key)!))
    )
  if (a instanceof Undefined || b instanceof Undefined) return a instanceof Undefined && b instanceof Undefined
  const items = comparable(a, b)
  if (items) return items[0].length === items[1].length && items[0].every((item, i) => equals(item, items[1][i]!))
  if (typeof a === 'string' && typeof b === 'string') return a.length === b.length && plain(a) === plain(b)
  return a === b
}

/** Lists are compared with lists, tuples with tuples. */
function comparable(a: Value, b: Value): [readonly Value[], readonly Value[]] | undefined {
  if (Array.isArray(a) && Array.isArray(b)) return [a, b]
  if (!(a instanceof Items && b instanceof Items) || a.kind !== b.kind) return undefined
  return a.kind === 'tuple' || a.kind === 'range' ? [a.take(), b.take()] : undefined
}

/** Negative if `a` comes before `b`, positive if after; NaN is neither. @throws TemplateError for values that have no order */
export function compare(a: Value, b: Value, operator = '<'): number {
  spend()
  if (a instanceof Markup || b instanceof Markup) return compare(unmarked(a), unmarked(b), operator)
  if (isNumber(a) && isNumber(b)) {
    const [x, y] = [toNumber(a), toNumber(b)]
    if (x < y) return -1
    if (x > y) return 1
    return equals(a, b) ? 0 : Number.NaN
  }
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(plain(a), plain(b))
  if (a instanceof Undefined) return a.fail()
  if (b instanceof Undefined) return b.fail()
  const items =
    comparable(a, b) ?? fail(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
  const [left, right] = items
  const at = left.findIndex((item, i) => i >= right.length || !equals(item, right[i]!))
  if (at >= 0 && at < right.length) return compare(left[at]!, right[at]!, operator)
  return left.length - right.length
}

/** By code points: units beyond the surrogates come after them. */
function compareTexts(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  const [x, y] = [a.codePointAt(at) ?? -1, b.codePointAt(at) ?? -1]
  return x - y
}

export function contains(container: Value, item: Value): boolean {
  if (container instanceof Markup || item instanceof Markup) return contains(unmarked(container), unmarked(item))
  if (typeof container === 'string') {
    if (typeof item === 'string') return plain(container).includes(plain(item))
    return fail(`'in <string>' requires string as left operand, not ${typeName(item)}`)
  }
  if (container instanceof Dict) return container.has(item)
  if (container instanceof Instance || !isIterable(container))
    return fail(`argument of type '${typeName(container)}' is not iterable`)
  return iterate(container).some((one) => equals(one, item))
}

/** A whole number, for an index or a count. */
export function toInteger(value: Value): number {
  if (typeof value === 'boolean' || typeof value === 'bigint') return Number(value)
  if (value instanceof Undefined) return value.fail()
  return fail(`'${typeName(value)}' object cannot be interpreted as an integer`)
}
