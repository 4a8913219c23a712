/** The variable `loop`. Source: LoopContext in jinja2/runtime.py. */
import { fail } from './error.ts'
import { bind } from './parameters.ts'
import { equals } from './python.ts'
import { Callable, Undefined } from './values.ts'
import type { Arguments, Value } from './values.ts'

export class LoopState extends Callable {
  override readonly typeName = 'LoopContext'
  index = 0
  readonly #items: readonly Value[]
  readonly #depth: number
  #last: readonly Value[] | undefined

  /** @param recurse What `loop(…)` does; undefined in a loop that is not recursive. */
  constructor(items: readonly Value[], depth: number, recurse: ((items: Value) => Value) | undefined) {
    super('loop', (args) => {
      if (!recurse) return fail("The loop must have the 'recursive' marker to be called recursively.")
      return recurse(bind('loop', 'iterable', args)[0]!)
    })
    this.#items = items
    this.#depth = depth
  }

  override attribute(name: string): Value | undefined {
    const [index, length] = [this.index, this.#items.length]
    switch (name) {
      case 'index':
        return BigInt(index + 1)
      case 'index0':
        return BigInt(index)
      case 'revindex':
        return BigInt(length - index)
      case 'revindex0':
        return BigInt(length - index - 1)
      case 'first':
        return index === 0
      case 'last':
        return index === length - 1
      case 'length':
        return BigInt(length)
      case 'depth':
        return BigInt(this.#depth + 1)
      case 'depth0':
        return BigInt(this.#depth)
      case 'previtem':
        return index > 0 ? this.#items[index - 1]! : new Undefined('there is no previous item')
      case 'nextitem':
        return index < length - 1 ? this.#items[index + 1]! : new Undefined('there is no next item')
      case 'cycle':
        return new Callable('cycle', (args) => this.#cycle(args))
      case 'changed':
        return new Callable('changed', (args) => this.#changed(args))
      default:
        return undefined
    }
  }

  override repr(): string {
    return `<LoopContext ${this.index + 1}/${this.#items.length}>`
  }

  #cycle({ positional }: Arguments): Value {
    if (positional.length === 0) return fail('no items for cycling given')
    return positional[this.index % positional.length]!
  }

  #changed({ positional }: Arguments): boolean {
    const last = this.#last
    this.#last = positional
    return !last || last.length !== positional.length || last.some((value, i) => !equals(value, positional[i]!))
  }
}
