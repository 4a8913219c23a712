/**
 * Jinja as transformers has it for chat templates: Python's immutable sandbox with `trim_blocks`, `lstrip_blocks`, loop controls,
 * `generation` blocks, and `tojson`, `raise_exception` and `strftime_now` of its own. Templates are of others' making: they
 * can reach nothing but the values they are given, and what takes too many steps or too much memory is an error.
 */
import type { Statement } from './ast.ts'
import { budgeted } from './budget.ts'
import { TemplateError } from './error.ts'
import { globals } from './globals.ts'
import { parse } from './parser.ts'
import { render } from './render.ts'
import { Scope } from './scope.ts'
import { fromJson } from './values.ts'

export { TemplateError } from './error.ts'

export class Template {
  readonly #statements: readonly Statement[]

  /** @throws TemplateError that names the line */
  constructor(source: string) {
    this.#statements = parse(source)
  }

  /**
   * @param variables What JSON can say, by name; what is undefined is not there.
   * @throws TemplateError when the template refuses the variables, does what Python would not, or takes too much
   */
  render(variables: Readonly<Record<string, unknown>>): string {
    try {
      return budgeted(() => render(this.#statements, scopeOf(variables)))
    } catch (cause) {
      if (cause instanceof RangeError)
        throw new TemplateError('the template or its values are nested too deep', { cause })
      throw cause
    }
  }
}

function scopeOf(variables: Readonly<Record<string, unknown>>): Scope {
  const scope = new Scope(globals)
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) scope.set(name, fromJson(value))
  return scope
}
