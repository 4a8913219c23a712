/**
 * Jinja as transformers has it for chat templates: Python's immutable sandbox with `trim_blocks`, `lstrip_blocks`, loop controls,
 * `generation` blocks, and `tojson`, `raise_exception` and `strftime_now` of its own. Templates are of others' making: they
 * can reach nothing but the values they are given, and what takes too many steps or too much memory is an error.
 */
import type { Parsed } from './ast.ts'
import { budgeted } from './budget.ts'
import { TemplateError } from './error.ts'
import { globals } from './globals.ts'
import { parse } from './parser.ts'
import { render } from './render.ts'
import { Scope } from './scope.ts'
import { none, withStandIns } from './stand-ins.ts'
import { fromJson } from './values.ts'

export { TemplateError } from './error.ts'
export type { StandIns } from './stand-ins.ts'

type Variables = Readonly<Record<string, unknown>>

export class Template {
  readonly source: string
  readonly #parsed: Parsed

  /** @throws TemplateError that names the line */
  constructor(source: string) {
    this.source = source
    this.#parsed = parse(source)
  }

  /**
   * @param variables What JSON can say, by name; what is undefined is not there.
   * @param said the same, and more important, from others
   * @param standIns that `said` is given to the template with, and that the text has then. Default: none
   * @throws TemplateError when the template refuses the variables, does what Python would not, or takes too much
   */
  render(variables: Variables, said: Variables = {}, standIns = none): string {
    try {
      return withStandIns(standIns, (fenced) =>
        budgeted(() => {
          const scope = new Scope(globals)
          assign(scope, variables)
          assign(scope, said, fenced)
          return render(this.#parsed, scope)
        }),
      )
    } catch (cause) {
      if (cause instanceof RangeError)
        throw new TemplateError('the template or its values are nested too deep', { cause })
      throw cause
    }
  }
}

function assign(scope: Scope, variables: Variables, read?: (text: string) => string): void {
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) scope.set(name, fromJson(value, read))
}
