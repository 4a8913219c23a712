/** A macro, as a template sees it. Source: Macro in jinja2/runtime.py. */
import type { MacroBody } from './ast.ts'
import { Callable, tuple } from './values.ts'
import type { Arguments, Value } from './values.ts'

export class Macro extends Callable {
  override readonly typeName = 'Macro'
  readonly #body: MacroBody

  constructor(name: string, body: MacroBody, call: (args: Arguments) => Value) {
    super(name, call)
    this.#body = body
  }

  override attribute(name: string): Value | undefined {
    const { parameters, names } = this.#body
    const explicitCaller = parameters.some((parameter) => parameter.name === 'caller')
    switch (name) {
      case 'name':
        return this.name
      case 'arguments':
        return tuple(...parameters.map((parameter) => parameter.name))
      case 'catch_kwargs':
        return names.has('kwargs')
      case 'catch_varargs':
        return names.has('varargs')
      case 'caller':
        return names.has('caller')
      case 'explicit_caller':
        return explicitCaller
      default:
        return undefined
    }
  }

  override repr(): string {
    return `<Macro '${this.name}'>`
  }
}
