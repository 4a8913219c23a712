/** Jinja's filters. Source: jinja2/filters.py. */
import { ownAttribute } from './attributes.ts'
import { assertItems } from './budget.ts'
import { methods } from './collection-methods.ts'
import type { Method } from './collection-methods.ts'
import { fail } from './error.ts'
import { escape, forceescape, marked } from './markup.ts'
import { filterNames } from './names.ts'
import { filesizeformat, round, toFloat, toInt } from './numbers.ts'
import { arithmetic, sign } from './operators.ts'
import { dictsort, extreme, generator, getter, groupby, pairs, sort, unique } from './ordering.ts'
import { bind } from './parameters.ts'
import { compare, iterate, length, str, toInteger, truth } from './python.ts'
import { joinTexts } from './string-methods.ts'
import { test } from './tests.ts'
import { reversed } from './text.ts'
import { format, textFilters } from './text-filters.ts'
import { Markup, Undefined, typeName } from './values.ts'
import type { Arguments, Items, Value } from './values.ts'

function batch(value: Value, size: Value | undefined, fill: Value = null): Items {
  const count = toInteger(size!)
  const rows: Value[][] = []
  let row: Value[] = []
  for (const one of iterate(value)) {
    if (row.length === count) {
      rows.push(row)
      row = []
    }
    row.push(one)
  }
  if (row.length > 0) rows.push(row)
  assertItems(fill === null ? 0 : count)
  if (row.length > 0 && fill !== null) while (row.length < count) row.push(fill)
  return generator(rows)
}

/** `slice`: the items in so many columns, of which the first are longer by one where it does not come out even. */
function columns(value: Value, count: Value | undefined, fill: Value = null): Items {
  const [all, parts] = [iterate(value), toInteger(count!)]
  if (parts === 0) fail('integer division or modulo by zero')
  assertItems(parts)
  const [size, longer] = [Math.floor(all.length / parts), all.length % parts]
  const start = (i: number) => i * size + Math.min(i, longer)
  const rows = Array.from({ length: Math.max(0, parts) }, (_, i) => all.slice(start(i), start(i + 1)))
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

const asText: Method<Value> = (value) => (value instanceof Markup ? value : str(value))

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

/** Filters whose result for an escaped text is escaped as well. */
const keeping = new Set(['capitalize', 'center', 'indent', 'lower', 'reverse', 'trim', 'truncate', 'upper'])

/** A filter that takes an escaped text for a text. */
function ofPlain([name, apply]: readonly [string, Method<Value>]): readonly [string, Method<Value>] {
  const mark = keeping.has(name) ? marked : (value: Value) => value
  return [name, (value, args) => (value instanceof Markup ? mark(apply(value.text, args)) : apply(value, args))]
}

/** Filters that tell an escaped text from others. */
const escaping: readonly (readonly [string, Method<Value>])[] = [
  ['d', otherwise],
  ['default', otherwise],
  ['e', escape],
  ['escape', escape],
  ['forceescape', (value) => forceescape(str(value))],
  ['format', format],
  ['safe', (value) => new Markup(str(value))],
  ['string', asText],
]

const plainFilters: ReadonlyMap<string, Method<Value>> = new Map([
  ...textFilters,
  ...methods<Value>({
    abs: ['', (value) => (compare(value, 0n) < 0 ? sign('-', value) : sign('+', value))],
    attr: ['name', (value, name) => attr(value, str(name!))],
    batch: ['linecount fill_with?', batch],
    count: ['', (value) => BigInt(length(value))],
    dictsort: ['case_sensitive? by? reverse?', dictsort],
    filesizeformat: ['binary?', filesizeformat],
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
  ['map', map],
  ['reject', select(false, false)],
  ['rejectattr', select(false, true)],
  ['select', select(true, false)],
  ['selectattr', select(true, true)],
])

const filters: ReadonlyMap<string, Method<Value>> = new Map([...[...plainFilters].map(ofPlain), ...escaping])

/** @throws TemplateError if there is none */
export function filter(name: string): Method<Value> {
  const found = filters.get(name)
  if (!found && filterNames.has(name)) fail(`the filter '${name}' is not supported in templates`)
  return found ?? fail(`No filter named '${name}'.`)
}
