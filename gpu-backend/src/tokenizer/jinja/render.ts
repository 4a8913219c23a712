/** From a template's statements to text. Source of the rules: jinja2/compiler.py. */
import type { Block, Loop, MacroBody, Parsed, Statement } from './ast.ts'
import { assertSize, spend } from './budget.ts'
import { fail } from './error.ts'
import { argumentsOf, call, evaluate, filtered } from './evaluate.ts'
import { LoopState } from './loop.ts'
import { Macro } from './macro.ts'
import { bind } from './parameters.ts'
import { iterate, str, truth } from './python.ts'
import { Scope } from './scope.ts'
import { Callable, Dict, Instance, Items, Undefined } from './values.ts'
import type { Arguments, Value } from './values.ts'

/** Set where a loop's tag ended the statements before their end. */
type Ending = 'break' | 'continue' | undefined

/** @throws TemplateError, also when it takes too much */
export function render({ body, blocks }: Parsed, scope: Scope): string {
  const top = new Scope(scope)
  const renderer = new Renderer(top)
  top.set('self', new Self(blocks, (block) => renderer.text(block.body, scopeOf(block, top))))
  return renderer.text(body, top)
}

/** `self`: `self.name()` is the text of a block. */
class Self extends Instance {
  readonly typeName = 'TemplateReference'
  readonly #blocks: ReadonlyMap<string, Block>
  readonly #text: (block: Block) => string

  constructor(blocks: ReadonlyMap<string, Block>, text: (block: Block) => string) {
    super()
    this.#blocks = blocks
    this.#text = text
  }

  attribute(name: string): Value | undefined {
    const block = this.#blocks.get(name)
    if (!block) return undefined
    return new Callable(name, (args) => {
      bind(name, '', args)
      return this.#text(block)
    })
  }

  repr(): string {
    return '<TemplateReference None>'
  }
}

function scopeOf({ name }: Block, outer: Scope): Scope {
  const scope = new Scope(outer)
  scope.set('super', new Undefined(`there is no parent block called '${name}'.`))
  return scope
}

class Renderer {
  /** What blocks see. */
  readonly #top: Scope
  #output = ''

  constructor(top: Scope) {
    this.#top = top
  }

  /** What statements print, beside what is printed already. */
  text(body: readonly Statement[], scope: Scope): string {
    return this.#captured(() => this.#run(body, scope))
  }

  #captured(print: () => unknown): string {
    const outer = this.#output
    this.#output = ''
    try {
      print()
      return this.#output
    } finally {
      this.#output = outer
    }
  }

  #print(text: string): void {
    spend()
    this.#output += text
    assertSize(this.#output.length)
  }

  #run(body: readonly Statement[], scope: Scope): Ending {
    for (const statement of body) {
      const ending = this.#statement(statement, scope)
      if (ending) return ending
    }
    return undefined
  }

  #statement(statement: Statement, scope: Scope): Ending {
    switch (statement.type) {
      case 'text':
        this.#print(statement.text)
        return undefined
      case 'print':
        this.#print(str(evaluate(statement.value, scope)))
        return undefined
      case 'if': {
        const chosen = statement.branches.find(({ test }) => truth(evaluate(test, scope)))
        return this.#run(chosen?.body ?? statement.otherwise, scope)
      }
      case 'for':
        return this.#for(statement, evaluate(statement.items, scope), scope, 0)
      case 'set':
        scope.assign(statement.target, evaluate(statement.value, scope))
        return undefined
      case 'setBlock':
        return this.#filtered(statement, scope, (value) => scope.assign(statement.target, value))
      case 'filterBlock':
        return this.#filtered(statement, scope, (value) => this.#print(str(value)))
      case 'block':
        return this.#run(statement.body, scopeOf(statement, statement.scoped ? scope : this.#top))
      case 'macro':
        scope.set(statement.name, this.#macro(statement.name, statement.macro, scope))
        return undefined
      case 'callBlock': {
        const args = argumentsOf(statement.call.args, scope)
        args.named.set('caller', this.#macro('caller', statement.macro, scope))
        this.#print(str(call(evaluate(statement.call.callee, scope), args)))
        return undefined
      }
      case 'scope': {
        const inner = new Scope(scope)
        for (const { target, value } of statement.assignments) inner.assign(target, evaluate(value, scope))
        return this.#run(statement.body, inner)
      }
      default:
        return statement.type
    }
  }

  /** Of a text that a loop's tag leaves nothing is used. */
  #filtered(
    { body, filters }: Statement & { type: 'setBlock' | 'filterBlock' },
    scope: Scope,
    use: (value: Value) => void,
  ): Ending {
    let ending: Ending
    const text: Value = this.#captured(() => (ending = this.#run(body, new Scope(scope))))
    if (!ending) use(filters.reduce((value, filter) => filtered(value, filter, scope), text as Value))
    return ending
  }

  #for(loop: Loop, given: Value, scope: Scope, depth: number): Ending {
    const items = this.#chosen(loop, iterate(given), scope)
    const recurse = (inner: Value): string => this.#captured(() => this.#for(loop, inner, scope, depth + 1))
    const state = new LoopState(items, depth, loop.recursive ? recurse : undefined)
    // As in Jinja, `else` is for loops none of whose rounds came to its end.
    let isIdle = true
    for (state.index = 0; state.index < items.length; state.index++) {
      spend()
      const inner = new Scope(scope)
      inner.set('loop', state)
      inner.assign(loop.target, items[state.index]!)
      const ending = this.#run(loop.body, inner)
      if (!ending) isIdle = false
      if (ending === 'break') break
    }
    return isIdle ? this.#run(loop.otherwise, new Scope(scope)) : undefined
  }

  /** The items that the loop is about: those that pass its own test. */
  #chosen({ test, target }: Loop, items: readonly Value[], scope: Scope): readonly Value[] {
    if (!test) return items
    return items.filter((item) => {
      const inner = new Scope(scope)
      inner.assign(target, item)
      return truth(evaluate(test, inner))
    })
  }

  #macro(name: string, macro: MacroBody, scope: Scope): Macro {
    return new Macro(name, macro, (args) => this.text(macro.body, this.#arguments(name, macro, args, new Scope(scope))))
  }

  /** The scope of a macro's call. What it is not given it takes from its defaults. Source: Macro in jinja2/runtime.py. */
  #arguments(name: string, { parameters, names }: MacroBody, args: Arguments, scope: Scope): Scope {
    const named = new Map(args.named)
    for (const [i, parameter] of parameters.entries()) {
      const given = i < args.positional.length ? args.positional[i] : named.get(parameter.name)
      if (i >= args.positional.length) named.delete(parameter.name)
      const missing = () =>
        parameter.value
          ? evaluate(parameter.value, scope)
          : new Undefined(`parameter '${parameter.name}' was not provided`)
      scope.set(parameter.name, given === undefined ? missing() : given)
    }
    if (names.has('caller') && !parameters.some((parameter) => parameter.name === 'caller')) {
      const caller = named.get('caller')
      named.delete('caller')
      scope.set('caller', caller === undefined ? new Undefined('No caller defined') : caller)
    }
    const rest = args.positional.slice(parameters.length)
    if (names.has('kwargs')) scope.set('kwargs', new Dict(named))
    else for (const key of named.keys()) fail(`macro '${name}' takes no keyword argument '${key}'`)
    if (names.has('varargs')) scope.set('varargs', new Items('tuple', rest))
    else if (rest.length > 0) fail(`macro '${name}' takes not more than ${parameters.length} argument(s)`)
    return scope
  }
}
