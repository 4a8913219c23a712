/**
 * Python's values. Nothing else ever stands in a template's variable, so a template can reach no object of JavaScript:
 * None is null, an int a bigint, a float a number, and a list an array.
 */
import { spend } from './budget.ts'
import { TemplateError, fail } from './error.ts'
import { plain } from './stand-ins.ts'

export type Value = null | boolean | bigint | number | string | Markup | Value[] | Items | Dict | Instance | Undefined

/** A name without a value: it prints as nothing, is false and empty, and everything else with it is an error. */
export class Undefined {
  readonly #message: string

  constructor(message: string) {
    this.#message = message
  }

  fail(): never {
    throw new TemplateError(this.#message)
  }
}

/** A text that is escaped, or safe as it is. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Nearly everything takes an escaped text for a text. */
export const unmarked = (value: Value): Value => (value instanceof Markup ? value.text : value)

const noAttributes: ReadonlyMap<string, Value> = new Map()

/** Python's other collections of items, besides lists. */
export class Items {
  readonly kind: 'tuple' | 'range' | 'dict_keys' | 'dict_values' | 'dict_items' | 'generator'
  readonly #items: readonly Value[]
  /** What it has by name. */
  readonly attributes: ReadonlyMap<string, Value>
  #isSpent = false

  constructor(kind: Items['kind'], items: readonly Value[], attributes?: Readonly<Record<string, Value>>) {
    this.kind = kind
    this.#items = items
    this.attributes = attributes ? new Map(Object.entries(attributes)) : noAttributes
  }

  get size(): number {
    return this.#items.length
  }

  /** The items; a generator gives them once. */
  take(): readonly Value[] {
    if (this.kind !== 'generator') return this.#items
    const items = this.#isSpent ? [] : this.#items
    this.#isSpent = true
    return items
  }
}

export const isTuple = (value: Value | undefined): value is Items => value instanceof Items && value.kind === 'tuple'

export const tuple = (...items: readonly Value[]): Items => new Items('tuple', items)

export function range(start: number, stop: number, step: number): Items {
  const length = Math.max(0, Math.ceil((stop - start) / step))
  const items = Array.from({ length }, (_, i) => BigInt(start + i * step))
  return new Items('range', items, { start: BigInt(start), stop: BigInt(stop), step: BigInt(step) })
}

/** A dict. No key means anything to JavaScript, not even `constructor` or `__proto__`. */
export class Dict {
  readonly #entries = new Map<unknown, readonly [Value, Value]>()

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value)
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hash(key))?.[1]
  }

  has(key: Value): boolean {
    return this.#entries.has(hash(key))
  }

  set(key: Value, value: Value): void {
    const hashed = hash(key)
    this.#entries.set(hashed, [this.#entries.get(hashed)?.[0] ?? key, value])
  }

  keys(): Value[] {
    return Array.from(this.#entries.values(), ([key]) => key)
  }

  values(): Value[] {
    return Array.from(this.#entries.values(), ([, value]) => value)
  }

  entries(): Iterable<readonly [Value, Value]> {
    return this.#entries.values()
  }
}

/** Equal keys have equal hashes: 1, 1.0 and True are one key. */
function hash(key: Value): unknown {
  spend()
  if (key instanceof Markup) return hash(key.text)
  if (typeof key === 'string') return plain(key)
  if (typeof key === 'boolean') return BigInt(key)
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key
  if (isTuple(key))
    return `\0${key
      .take()
      .map((item) => String(hash(item)))
      .join('\0')}`
  if (Array.isArray(key) || key instanceof Dict) return fail(`unhashable type: '${typeName(key)}'`)
  return key
}

/** An object of a class of Jinja's. */
export abstract class Instance {
  abstract readonly typeName: string
  /** Of a name that is an attribute; undefined if it is none. */
  abstract attribute(name: string): Value | undefined
  abstract repr(): string
}

export interface Arguments {
  positional: Value[]
  named: Map<string, Value>
}

/** What can be called. */
export class Callable extends Instance {
  readonly typeName: string = 'function'
  readonly name: string
  readonly call: (args: Arguments) => Value
  /** Whose method it is, if it is one. */
  readonly owner: Value

  constructor(name: string, call: (args: Arguments) => Value, owner: Value = null) {
    super()
    this.name = name
    this.call = call
    this.owner = owner
  }

  attribute(_name: string): Value | undefined {
    return undefined
  }

  repr(): string {
    return `<function ${this.name}>`
  }
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Items) return value.kind
  if (value instanceof Dict) return 'dict'
  if (value instanceof Markup) return 'Markup'
  if (value instanceof Undefined) return 'Undefined'
  if (value instanceof Instance) return value.typeName
  return { boolean: 'bool', bigint: 'int', number: 'float', string: 'str' }[
    typeof value as 'boolean' | 'bigint' | 'number' | 'string'
  ]
}

/** What JSON can say. An entry whose value is undefined is not there, as in JSON. @param read what becomes of each string */
export function fromJson(value: unknown, read: (text: string) => string = (text) => text): Value {
  if (typeof value === 'string') return read(value)
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map((item) => fromJson(item, read))
  if (typeof value !== 'object') throw new TypeError(`${typeof value} is no value of a template`)
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return new Dict(entries.map(([key, entry]) => [read(key), fromJson(entry, read)] as const))
}
