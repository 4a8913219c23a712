/** Jinja's filters that order values, or tell them apart. Source: jinja2/filters.py. */
import { item } from './attributes.ts'
import { fail } from './error.ts'
import { compare, equals, iterate } from './python.ts'
import { Dict, Items, Undefined, tuple, unmarked } from './values.ts'
import type { Value } from './values.ts'

export const generator = (items: readonly Value[]): Items => new Items('generator', items)
const isGiven = (value: Value | undefined): value is Value => value !== undefined && value !== null

/** Reads `a.b.0` of a value; the value itself without a path. */
export function getter(path: Value | undefined, otherwise?: Value): (value: Value) => Value {
  if (!isGiven(path)) return (value) => value
  const steps =
    typeof path === 'string' ? path.split('.').map((step) => (/^\d+$/.test(step) ? BigInt(step) : step)) : [path]
  return (value) =>
    steps.reduce((owner, step) => {
      const found = item(owner, step)
      return found instanceof Undefined && isGiven(otherwise) ? otherwise : found
    }, value)
}

const folded = (value: Value): Value => {
  const text = unmarked(value)
  return typeof text === 'string' ? text.toLowerCase() : text
}
const caseOf = (isSensitive: Value) => (isSensitive === true ? (value: Value) => value : folded)

/** Sorts by keys, stably. */
function sorted<Item>(items: readonly Item[], keysOf: (item: Item) => readonly Value[], isReversed: Value): Item[] {
  const keyed = items.map((one) => ({ one, keys: [...keysOf(one)] }))
  const direction = isReversed === true ? -1 : 1
  return keyed.toSorted((a, b) => direction * compare(a.keys, b.keys)).map(({ one }) => one)
}

export function sort(
  value: Value,
  isReversed: Value = false,
  isSensitive: Value = false,
  attribute: Value = null,
): Value[] {
  const paths = typeof attribute === 'string' ? attribute.split(',') : [attribute]
  const getters = paths.map((path) => getter(path))
  return sorted(iterate(value), (one) => getters.map((get) => caseOf(isSensitive)(get(one))), isReversed)
}

export function dictsort(
  value: Value,
  isSensitive: Value = false,
  by: Value = 'key',
  isReversed: Value = false,
): Value[] {
  const entries = iterate(pairs(value))
  const at = by === 'key' ? 0 : by === 'value' ? 1 : fail("You can only sort by either 'key' or 'value'")
  return sorted(entries, (entry) => [caseOf(isSensitive)(iterate(entry)[at]!)], isReversed)
}

/** A dict as pairs of key and value. */
export function pairs(value: Value): Items {
  if (value instanceof Undefined) return generator([])
  if (!(value instanceof Dict)) return fail('Can only get item pairs from a mapping.')
  return generator(Array.from(value.entries(), ([key, entry]) => tuple(key, entry)))
}

/** The least or the greatest. */
export function extreme(value: Value, isSensitive: Value, attribute: Value | undefined, direction: 1 | -1): Value {
  const key = (one: Value) => caseOf(isSensitive)(getter(attribute)(one))
  const all = iterate(value)
  if (all.length === 0) return new Undefined('No aggregated item, sequence was empty.')
  return all.reduce((best, one) => (direction * compare(key(one), key(best)) < 0 ? one : best))
}

export function unique(value: Value, isSensitive: Value = false, attribute: Value = null): Items {
  const get = getter(attribute)
  const seen = new Dict()
  const kept = iterate(value).filter((one) => {
    const key = caseOf(isSensitive)(get(one))
    const isNew = !seen.has(key)
    seen.set(key, null)
    return isNew
  })
  return generator(kept)
}

export function groupby(
  value: Value,
  attribute: Value | undefined,
  otherwise: Value = null,
  isSensitive: Value = false,
): Value[] {
  const get = getter(attribute, otherwise)
  const key = (one: Value) => caseOf(isSensitive)(get(one))
  const groups: Value[][] = []
  for (const one of sorted(iterate(value), (entry) => [key(entry)], false)) {
    const last = groups.at(-1)
    if (last && equals(key(last[0]!), key(one))) last.push(one)
    else groups.push([one])
  }
  return groups.map((group) => {
    const grouper = get(group[0]!)
    return new Items('tuple', [grouper, group], { grouper, list: group })
  })
}
