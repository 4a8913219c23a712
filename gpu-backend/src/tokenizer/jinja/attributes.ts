/** `value.name` and `value[key]`, as Jinja's immutable sandbox lets a template read them. Source: jinja2/sandbox.py. */
import { dictMethods, listMethods, sequenceMethods } from './collection-methods.ts'
import type { Method } from './collection-methods.ts'
import { fail } from './error.ts'
import { formatText } from './format-text.ts'
import { formatValue } from './format.ts'
import type { Access } from './format-text.ts'
import { argumentsEscaped, fieldEscaped, marked } from './markup.ts'
import { isIndexed, itemAt } from './operators.ts'
import { repr, str } from './python.ts'
import { stringMethods } from './string-methods.ts'
import { Callable, Dict, Instance, Items, Markup, Undefined, typeName } from './values.ts'
import type { Value } from './values.ts'

/** What every object of Python's has, and templates must not reach. */
const internals = new Set(
  [
    'class delattr dir doc eq format ge getattribute getstate gt hash init init_subclass le lt module ne new reduce',
    'reduce_ex repr setattr sizeof str subclasshook dict weakref len iter contains getitem setitem delitem call',
    'globals code closure mro bases subclasses',
  ].flatMap((names) => names.split(' ').map((name) => `__${name}__`)),
)
const changing = {
  list: new Set(['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort']),
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
}

/** `value.name`: what belongs to the value itself comes before the entries of a dict. */
export function attribute(value: Value, name: string): Value {
  const own = ownAttribute(value, name)
  if (own !== undefined) return own
  const entry = itemAt(value, name)
  return entry === undefined ? missing(value, name) : entry
}

/** `value[key]`: the entries of a dict come first. */
export function item(value: Value, key: Value): Value {
  const found = value instanceof Undefined ? value.fail() : itemAt(value, key)
  if (found !== undefined) return found
  const own = typeof key === 'string' ? ownAttribute(value, key) : undefined
  return own === undefined ? missing(value, key) : own
}

/** The attribute that is no entry; undefined if there is none. */
export function ownAttribute(value: Value, name: string): Value | undefined {
  if (value instanceof Undefined) return value.fail()
  const isList = Array.isArray(value)
  if (internals.has(name) || (isList && changing.list.has(name)) || (value instanceof Dict && changing.dict.has(name)))
    return new Undefined(`access to attribute '${name}' of '${typeName(value)}' object is unsafe.`)
  if (value instanceof Instance) return value.attribute(name)
  if (typeof value === 'string') return bound(textMethods, value, name, value)
  if (value instanceof Dict) return bound(dictMethods, value, name, value)
  if (value instanceof Markup) return escapedMethod(value, name)
  if (isList) return bound(listMethods, value, name, value)
  if (!(value instanceof Items)) return undefined
  return (
    value.attributes.get(name) ?? (isIndexed(value) ? bound(sequenceMethods, value.take(), name, value) : undefined)
  )
}

function bound<Self>(
  methods: ReadonlyMap<string, Method<Self>>,
  self: Self,
  name: string,
  owner: Value,
): Callable | undefined {
  const method = methods.get(name)
  return method && new Callable(name, (args) => method(self, args), owner)
}

/** What a method makes of an escaped text is escaped too. */
function escapedMethod(value: Markup, name: string): Callable | undefined {
  const method = name === 'format' ? formatMethod(fieldEscaped) : textMethods.get(name)
  return method && new Callable(name, (args) => marked(method(value.text, argumentsEscaped(name, args))), value)
}

function missing(value: Value, key: Value): Undefined {
  const owner = value === null ? 'None' : `${typeName(value)} object`
  return new Undefined(
    typeof key === 'string' ? `'${owner}' has no attribute ${repr(key)}` : `${owner} has no element ${repr(key)}`,
  )
}

const access: Access = { attribute, item }

/** A str's methods; fields of these two may read attributes of their values, as in `'{0.name}'`. */
const textMethods: ReadonlyMap<string, Method<string>> = new Map([
  ...stringMethods,
  ['format', formatMethod(formatValue)],
  ['format_map', (self, { positional: [map] }) => formatText(self, { positional: [], named: namedOf(map) }, access)],
])

function formatMethod(write: typeof formatValue): Method<string> {
  return (self, args) => formatText(self, args, access, write)
}

function namedOf(map: Value | undefined): Map<string, Value> {
  if (!(map instanceof Dict)) return fail('format_map() takes a mapping')
  return new Map(Array.from(map.entries(), ([key, value]) => [str(key), value]))
}
