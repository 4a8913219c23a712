/** The grammar of Jinja's statements, with the loop controls and `generation` blocks of transformers. Source: jinja2/parser.py. */
import type { Block, Expression, MacroBody, Parameter, Parsed, Statement, Target } from './ast.ts'
import { TemplateError } from './error.ts'
import { ExpressionParser } from './expressions.ts'
import { tokenize } from './lexer.ts'
import { unsupportedTags } from './names.ts'

/** @throws TemplateError that names the line */
export function parse(source: string): Parsed {
  try {
    return new Parser(tokenize(source)).template()
  } catch (cause) {
    if (cause instanceof RangeError) throw new TemplateError('its parts are nested too deep', { cause })
    throw cause
  }
}

class Parser extends ExpressionParser {
  readonly #tags: ReadonlyMap<string, () => Statement> = new Map<string, () => Statement>([
    ['if', () => this.#if()],
    ['for', () => this.#for()],
    ['set', () => this.#set()],
    ['with', () => this.#with()],
    ['filter', () => this.#filter()],
    ['macro', () => this.#macro()],
    ['call', () => this.#call()],
    ['generation', () => ({ type: 'scope', assignments: [], body: this.#apart(() => this.#body('endgeneration')) })],
    ['block', () => this.#block()],
    ['break', () => this.#leave('break')],
    ['continue', () => this.#leave('continue')],
  ])

  readonly #blocks = new Map<string, Block>()
  /** Loops around what is read that it can leave. */
  #loops = 0
  /** Loops around what is read. */
  #depth = 0

  template(): Parsed {
    const body = this.#statements([])
    if (!this.peek('eof')) this.fail('the template goes on after its end')
    return { body, blocks: this.#blocks }
  }

  /** Reads what no loop tag can leave. */
  #apart<Read>(read: () => Read): Read {
    const loops = this.#loops
    this.#loops = 0
    const result = read()
    this.#loops = loops
    return result
  }

  /** Statements up to a tag of one of these names, whose name is the next token then. */
  #statements(ends: readonly string[]): Statement[] {
    const statements: Statement[] = []
    for (;;) {
      if (this.peek('text')) statements.push({ type: 'text', text: this.next().value })
      else if (this.skip('begin', '{{')) {
        statements.push({ type: 'print', value: this.tuple() })
        this.expect('end')
      } else if (this.skip('begin', '{%')) {
        if (ends.some((name) => this.peek('name', name))) return statements
        statements.push(this.#tag())
      } else if (ends.length > 0) this.fail(`the template ends where ${ends.join(' or ')} is missing`)
      else return statements
    }
  }

  /** A statement with its last `%}`. */
  #tag(): Statement {
    const name = this.expect('name')
    const isKnown = unsupportedTags.has(name.value)
    const read =
      this.#tags.get(name.value) ??
      this.fail(
        isKnown ? `the tag '${name.value}' is not supported in templates` : `there is no tag '${name.value}' here`,
        name,
      )
    const statement = read()
    this.expect('end')
    return statement
  }

  /** What stands between a tag and its end, from the `%}` of the one to the name of the other. */
  #body(end: string): Statement[] {
    this.expect('end')
    const body = this.#statements([end])
    this.next()
    return body
  }

  #if(): Statement {
    const branches = []
    do {
      const test = this.tuple({ withCondition: false })
      this.expect('end')
      branches.push({ test, body: this.#statements(['elif', 'else', 'endif']) })
    } while (this.skip('name', 'elif'))
    return { type: 'if', branches, otherwise: this.#otherwise('endif') }
  }

  #otherwise(end: string): Statement[] {
    if (this.skip('name', 'else')) return this.#body(end)
    this.expect('name', end)
    return []
  }

  #for(): Statement {
    this.#depth++
    const target = this.#target('in', false)
    this.expect('name', 'in')
    const items = this.tuple({ withCondition: false, before: 'recursive' })
    const test = this.skip('name', 'if') ? this.expression() : undefined
    const recursive = this.skip('name', 'recursive')
    this.expect('end')
    this.#loops++
    const body = this.#statements(['else', 'endfor'])
    this.#loops--
    const otherwise = this.#otherwise('endfor')
    this.#depth--
    return { type: 'for', target, items, test, recursive, body, otherwise }
  }

  #block(): Statement {
    const name = this.expect('name')
    if (this.#blocks.has(name.value)) this.fail(`block '${name.value}' defined twice`, name)
    const scoped = this.skip('name', 'scoped')
    const block: Block = { name: name.value, scoped, body: [] }
    this.#blocks.set(name.value, block)
    block.body = this.#apart(() => this.#body('endblock'))
    this.skip('name', name.value)
    return { type: 'block', ...block }
  }

  #leave(type: 'break' | 'continue'): Statement {
    return this.#loops > 0 ? { type } : this.fail(`'${type}' stands outside of a loop`)
  }

  #set(): Statement {
    const target = this.#target('=')
    if (this.skip('operator', '=')) return { type: 'set', target, value: this.tuple() }
    return { type: 'setBlock', target, filters: this.filters(false), body: this.#body('endset') }
  }

  #with(): Statement {
    const assignments: { target: Target; value: Expression }[] = []
    while (!this.peek('end')) {
      if (assignments.length > 0) this.expect('operator', ',')
      const target = this.#single(false, false)
      this.expect('operator', '=')
      assignments.push({ target, value: this.expression() })
    }
    return { type: 'scope', assignments, body: this.#body('endwith') }
  }

  #filter(): Statement {
    return { type: 'filterBlock', filters: this.filters(true), body: this.#body('endfilter') }
  }

  #macro(): Statement {
    const name = this.expect('name').value
    return { type: 'macro', name, macro: this.#macroBody('endmacro') }
  }

  #call(): Statement {
    const outer = this.names
    this.names = new Set()
    const parameters = this.peek('operator', '(') ? this.#parameters() : []
    const start = this.token
    const call = this.expression()
    if (call.type !== 'call') this.fail('a call is missing', start)
    return { type: 'callBlock', call, macro: this.#macroBody('endcall', parameters, outer) }
  }

  #macroBody(end: string, given?: readonly Parameter[], outer = this.names): MacroBody {
    if (!given) this.names = new Set()
    const parameters = given ?? this.#parameters()
    const body = this.#apart(() => this.#body(end))
    const names = this.names
    this.names = outer
    for (const name of names) outer.add(name)
    return { parameters, body, names }
  }

  #parameters(): Parameter[] {
    const parameters: Parameter[] = []
    this.expect('operator', '(')
    while (!this.skip('operator', ')')) {
      if (parameters.length > 0) this.expect('operator', ',')
      const name = this.expect('name').value
      const value = this.skip('operator', '=') ? this.expression() : undefined
      if (!value && parameters.at(-1)?.value) this.fail(`'${name}' needs a default, as what stands before it has one`)
      parameters.push({ name, value })
    }
    return parameters
  }

  /** `a`, `a, b`, `(a, b)` or `namespace.a`, up to the token `end`. */
  #target(end: string, mayBeMember = true): Target {
    const items: Target[] = []
    let isTuple = false
    while (!this.peek('end') && !this.peek('name', end) && !this.peek('operator', end)) {
      items.push(this.#single(mayBeMember))
      if (!this.skip('operator', ',')) break
      isTuple = true
    }
    if (isTuple) return { type: 'targets', items }
    return items[0] ?? this.fail('a name to assign to is missing')
  }

  #single(mayBeMember: boolean, keepsLoop = this.#depth > 0): Target {
    if (this.skip('operator', '(')) {
      const target = this.#target(')', mayBeMember)
      this.expect('operator', ')')
      return target
    }
    const name = this.expect('name')
    if (['true', 'false', 'none', 'True', 'False', 'None'].includes(name.value))
      this.fail(`'${name.value}' cannot be assigned to`, name)
    if (keepsLoop && name.value === 'loop' && !this.peek('operator', '.'))
      this.fail("Can't assign to special loop variable in for-loop target", name)
    if (!mayBeMember || !this.skip('operator', '.')) return { type: 'name', name: name.value }
    return { type: 'member', object: name.value, name: this.expect('name').value }
  }
}
