/** Jinja's filters. Source: jinja2/filters.py. */
import { ownAttribute } from './attributes.ts'
import { assertItems } from './budget.ts'
import { methods } from './collection-methods.ts'
import type { Method } from './collection-methods.ts'
import { fail } from './error.ts'
import { round, toFloat, toInt } from './numbers.ts'
import { arithmetic, sign } from './operators.ts'
import { dictsort, extreme, generator, getter, groupby, pairs, sort, unique } from './ordering.ts'
import { bind } from './parameters.ts'
import { compare, iterate, length, str, toInteger, truth } from './python.ts'
import { joinTexts } from './string-methods.ts'
import { test } from './tests.ts'
import { reversed } from './text.ts'
import { format, textFilters } from './text-filters.ts'
import { Undefined, typeName } from './values.ts'
import type { Arguments, Items, Value } from './values.ts'

function batch(value: Value, size: Value | undefined, fill: Value = null): Items {
  const count = Math.max(1, toInteger(size!))
  assertItems(count)
  const all = iterate(value)
  const rows = Array.from({ length: Math.ceil(all.length / count) }, (_, i) => all.slice(i * count, (i + 1) * count))
  const last = rows.at(-1)
  if (last && fill !== null) while (last.length < count) last.push(fill)
  return generator(rows)
}

/** `slice`: the items in so many columns, of which the first are longer by one where it does not come out even. */
function columns(value: Value, count: Value | undefined, fill: Value = null): Items {
  const [all, parts] = [iterate(value), Math.max(1, toInteger(count!))]
  assertItems(parts)
  const [size, longer] = [Math.floor(all.length / parts), all.length % parts]
  const start = (i: number) => i * size + Math.min(i, longer)
  const rows = Array.from({ length: parts }, (_, i) => all.slice(start(i), start(i + 1)))
  if (fill !== null) for (const row of rows.slice(longer)) row.push(fill)
  return generator(rows)
}

function end(values: readonly Value[], at: 0 | -1): Value {
  return values.length > 0
    ? values.at(at)!
    : new Undefined(`No ${at === 0 ? 'first' : 'last'} item, sequence was empty.`)
}

function attr(value: Value, name: string): Value {
  const found = ownAttribute(value, name)
  return found === undefined ? new Undefined(`'${typeName(value)} object' has no attribute '${name}'`) : found
}

function reverse(value: Value): Value {
  return typeof value === 'string' ? reversed(value) : generator(iterate(value).toReversed())
}

const otherwise: Method<Value> = (value, args) => {
  const [fallback = '', evenIfFalse = false] = bind('default', 'default_value? boolean?', args)
  return value instanceof Undefined || (evenIfFalse === true && !truth(value)) ? fallback : value
}

const map: Method<Value> = (value, { positional: [name, ...rest], named }) => {
  if (name === undefined) {
    const [attribute, fallback] = bind('map', 'attribute default?', { positional: [], named })
    return generator(iterate(value).map(getter(attribute, fallback)))
  }
  const apply = filter(str(name))
  return generator(iterate(value).map((one) => apply(one, { positional: rest, named })))
}

/** `select`, `reject`, `selectattr` and `rejectattr`: items that pass a test or, without one, are true; or those that do not. */
function select(keeps: boolean, byAttribute: boolean): Method<Value> {
  return (value, { positional: given, named }) => {
    if (byAttribute && given.length === 0) fail('Missing parameter for attribute name')
    const get = getter(byAttribute ? given[0] : null)
    const [name, ...rest] = byAttribute ? given.slice(1) : given
    const passes = name === undefined ? truth : testOf(str(name), { positional: rest, named })
    return generator(truth(value) ? iterate(value).filter((one) => passes(get(one)) === keeps) : [])
  }
}

const testOf = (name: string, args: Arguments) => {
  const passes = test(name)
  return (value: Value) => passes(value, args)
}

const filters: ReadonlyMap<string, Method<Value>> = new Map([
  ...textFilters,
  ...methods<Value>({
    abs: ['', (value) => (compare(value, 0n) < 0 ? sign('-', value) : sign('+', value))],
    attr: ['name', (value, name) => attr(value, str(name!))],
    batch: ['linecount fill_with?', batch],
    count: ['', (value) => BigInt(length(value))],
    dictsort: ['case_sensitive? by? reverse?', dictsort],
    first: ['', (value) => end(iterate(value), 0)],
    float: ['default?', toFloat],
    groupby: ['attribute default? case_sensitive?', groupby],
    int: ['default? base?', toInt],
    items: ['', pairs],
    join: [
      'd? attribute?',
      (value, d = '', attribute = null) => joinTexts(iterate(value).map(getter(attribute)).map(str), str(d)),
    ],
    last: ['', (value) => end(iterate(value), -1)],
    length: ['', (value) => BigInt(length(value))],
    list: ['', (value) => [...iterate(value)]],
    max: [
      'case_sensitive? attribute?',
      (value, isSensitive = false, attribute = null) => extreme(value, isSensitive, attribute, -1),
    ],
    min: [
      'case_sensitive? attribute?',
      (value, isSensitive = false, attribute = null) => extreme(value, isSensitive, attribute, 1),
    ],
    reverse: ['', reverse],
    round: ['precision? method?', round],
    slice: ['slices fill_with?', columns],
    sort: ['reverse? case_sensitive? attribute?', sort],
    sum: [
      'attribute? start?',
      (value, attribute = null, start = 0n) =>
        iterate(value)
          .map(getter(attribute))
          .reduce((sum, one) => arithmetic('+', sum, one), start),
    ],
    unique: ['case_sensitive? attribute?', unique],
  }),
  ['d', otherwise],
  ['default', otherwise],
  ['format', (value, args) => format(value, args.positional, args.named)],
  ['map', map],
  ['reject', select(false, false)],
  ['rejectattr', select(false, true)],
  ['select', select(true, false)],
  ['selectattr', select(true, true)],
])

/** @throws TemplateError if there is none */
export function filter(name: string): Method<Value> {
  return filters.get(name) ?? fail(`No filter named '${name}'.`)
}
