/** The variables that a part of a template sees: its own, then those around it. */
import type { Target } from './ast.ts'
import { fail } from './error.ts'
import { iterate, repr } from './python.ts'
import { Instance, Undefined } from './values.ts'
import type { Value } from './values.ts'

export class Scope {
  readonly #values = new Map<string, Value>()
  readonly #outer: Scope | undefined

  constructor(outer?: Scope) {
    this.#outer = outer
  }

  get(name: string): Value {
    const value = this.#find(name)
    return value === undefined ? new Undefined(`'${name}' is undefined`) : value
  }

  #find(name: string): Value | undefined {
    const own = this.#values.get(name)
    return own === undefined && this.#outer ? this.#outer.#find(name) : own
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value)
  }

  /** @throws TemplateError when there are not as many values as targets */
  assign(target: Target, value: Value): void {
    if (target.type === 'name') return this.set(target.name, value)
    if (target.type === 'member') return this.#assignMember(target.object, target.name, value)
    const values = iterate(value)
    const wanted = target.items.length
    if (values.length < wanted) fail(`not enough values to unpack (expected ${wanted}, got ${values.length})`)
    if (values.length > wanted) fail(`too many values to unpack (expected ${wanted})`)
    for (const [i, one] of target.items.entries()) this.assign(one, values[i]!)
  }

  #assignMember(object: string, name: string, value: Value): void {
    const namespace = this.get(object)
    if (!(namespace instanceof Namespace)) return fail('cannot assign attribute on non-namespace object')
    namespace.set(name, value)
  }
}

/** What keeps its values when a loop or a block ends. */
export class Namespace extends Instance {
  readonly typeName = 'Namespace'
  readonly #values = new Map<string, Value>()

  set(name: string, value: Value): void {
    if (name.startsWith('_'))
      fail(
        `Chat templates cannot store underscore-prefixed attributes on a namespace, but got ${repr(name)}. Please rename the attribute.`,
      )
    this.#values.set(name, value)
  }

  attribute(name: string): Value | undefined {
    return this.#values.get(name)
  }

  repr(): string {
    return '<Namespace>'
  }
}
