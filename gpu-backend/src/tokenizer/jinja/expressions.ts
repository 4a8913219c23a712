/** The grammar of Jinja's expressions. Source: jinja2/parser.py, whose precedences these are. */
import type { Argument, Arithmetic, Comparison, Expression, FilterCall } from './ast.ts'
import type { Token } from './lexer.ts'
import { floatOf, integerOf, stringOf } from './literals.ts'
import { TokenStream, describe } from './token-stream.ts'

const constants = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>='])

export class ExpressionParser extends TokenStream {
  /** Names that expressions read, collected for the macro around them. */
  protected names = new Set<string>()

  expression(withCondition = true): Expression {
    return withCondition ? this.#condition() : this.#or()
  }

  /** One expression, or a tuple of several with commas between them. */
  tuple({ withCondition = true, before = '', mayBeEmpty = false } = {}): Expression {
    const items: Expression[] = []
    let isTuple = false
    while (!this.#endsTuple(before)) {
      items.push(this.expression(withCondition))
      if (!this.skip('operator', ',')) break
      isTuple = true
    }
    if (!isTuple && items[0]) return items[0]
    if (!isTuple && !mayBeEmpty) this.fail('an expression is missing')
    return { type: 'tuple', items }
  }

  /** `|name(…)|name…`, or, inline, `name(…)|name…`. */
  filters(inline: boolean): FilterCall[] {
    const filters = inline ? [this.#filterCall()] : []
    while (this.skip('operator', '|')) filters.push(this.#filterCall())
    return filters
  }

  #endsTuple(before: string): boolean {
    return this.peek('end') || this.peek('operator', ')') || (before !== '' && this.peek('name', before))
  }

  #condition(): Expression {
    let value = this.#or()
    while (this.skip('name', 'if')) {
      const test = this.#or()
      const otherwise = this.skip('name', 'else') ? this.#condition() : undefined
      value = { type: 'condition', test, value, otherwise }
    }
    return value
  }

  #or(): Expression {
    let left = this.#and()
    while (this.skip('name', 'or')) left = { type: 'or', left, right: this.#and() }
    return left
  }

  #and(): Expression {
    let left = this.#not()
    while (this.skip('name', 'and')) left = { type: 'and', left, right: this.#not() }
    return left
  }

  #not(): Expression {
    return this.skip('name', 'not') ? { type: 'not', value: this.#not() } : this.#compare()
  }

  #compare(): Expression {
    const first = this.#sum()
    const rest: { operator: Comparison; value: Expression }[] = []
    for (let operator = this.#comparison(); operator; operator = this.#comparison())
      rest.push({ operator, value: this.#sum() })
    return rest.length > 0 ? { type: 'compare', first, rest } : first
  }

  #comparison(): Comparison | undefined {
    const { type, value } = this.token
    if (type === 'operator' && comparisons.has(value)) return this.next().value as Comparison
    if (this.skip('name', 'in')) return 'in'
    if (!this.peek('name', 'not') || !this.follows('name', 'in')) return undefined
    this.next()
    this.next()
    return 'not in'
  }

  #sum(): Expression {
    return this.#arithmetic(['+', '-'], () => this.#concat())
  }

  #concat(): Expression {
    const items = [this.#product()]
    while (this.skip('operator', '~')) items.push(this.#product())
    return items.length > 1 ? { type: 'concat', items } : items[0]!
  }

  #product(): Expression {
    return this.#arithmetic(['*', '/', '//', '%'], () => this.#arithmetic(['**'], () => this.#signed()))
  }

  #arithmetic(operators: readonly Arithmetic[], operand: () => Expression): Expression {
    let left = operand()
    for (;;) {
      const operator = operators.find((one) => this.peek('operator', one))
      if (!operator) return left
      this.next()
      left = { type: 'arithmetic', operator, left, right: operand() }
    }
  }

  /** Filters and tests after a sign belong to all of it: `-1|abs` is 1. */
  #signed(withFilters = true): Expression {
    const sign = (['+', '-'] as const).find((one) => this.skip('operator', one))
    const value: Expression = sign ? { type: 'sign', sign, value: this.#signed(false) } : this.#primary()
    return withFilters ? this.#filtered(this.#postfix(value)) : this.#postfix(value)
  }

  #primary(): Expression {
    const token = this.next()
    switch (token.type) {
      case 'name':
        return this.#name(token.value)
      case 'string': {
        const read = ({ value: quoted }: Token) => stringOf(quoted, (message) => this.fail(message, token))
        let value = read(token)
        while (this.peek('string')) value += read(this.next())
        return { type: 'constant', value }
      }
      case 'integer':
        return { type: 'constant', value: integerOf(token.value) }
      case 'float':
        return { type: 'constant', value: floatOf(token.value) }
      default:
    }
    if (token.type === 'operator' && token.value === '(') {
      const value = this.tuple({ mayBeEmpty: true })
      this.expect('operator', ')')
      return value
    }
    if (token.type === 'operator' && token.value === '[')
      return { type: 'list', items: this.#series(']', () => this.expression()) }
    if (token.type === 'operator' && token.value === '{')
      return { type: 'dict', entries: this.#series('}', () => this.#entry()) }
    return this.fail(`unexpected ${describe(token)}`, token)
  }

  #name(name: string): Expression {
    const constant = constants.get(name)
    if (constant !== undefined) return { type: 'constant', value: constant }
    this.names.add(name)
    return { type: 'name', name }
  }

  #entry(): readonly [Expression, Expression] {
    const key = this.expression()
    this.expect('operator', ':')
    return [key, this.expression()]
  }

  /** What stands between commas, up to `end`. */
  #series<Item>(end: string, item: () => Item): Item[] {
    const items: Item[] = []
    while (!this.skip('operator', end)) {
      if (items.length > 0) this.expect('operator', ',')
      if (this.skip('operator', end)) break
      items.push(item())
    }
    return items
  }

  #postfix(start: Expression): Expression {
    let value = start
    for (;;)
      if (this.skip('operator', '.')) value = this.#member(value)
      else if (this.skip('operator', '[')) value = this.#subscript(value)
      else if (this.peek('operator', '(')) value = { type: 'call', callee: value, args: this.args() }
      else return value
  }

  #filtered(start: Expression): Expression {
    let value = start
    for (;;)
      if (this.skip('operator', '|')) value = { type: 'filter', value, filter: this.#filterCall() }
      else if (this.skip('name', 'is')) value = this.#test(value)
      else if (this.peek('operator', '(')) value = { type: 'call', callee: value, args: this.args() }
      else return value
  }

  #member(object: Expression): Expression {
    const token = this.next()
    if (token.type === 'name') return { type: 'attribute', object, name: token.value }
    if (token.type !== 'integer') this.fail('a name or number is missing after the dot', token)
    return { type: 'item', object, index: { type: 'constant', value: integerOf(token.value) } }
  }

  #subscript(object: Expression): Expression {
    const ends = () => this.peek('operator', ']') || this.peek('operator', ':')
    const part = () => (ends() ? undefined : this.expression())
    const start = part()
    if (!this.peek('operator', ':')) {
      const indices = start ? [start] : this.fail('an index is missing')
      while (this.skip('operator', ',')) indices.push(this.expression())
      this.expect('operator', ']')
      return { type: 'item', object, index: indices.length > 1 ? { type: 'tuple', items: indices } : indices[0]! }
    }
    this.next()
    const stop = part()
    const step = this.skip('operator', ':') ? part() : undefined
    this.expect('operator', ']')
    return { type: 'slice', object, ...(start && { start }), ...(stop && { stop }), ...(step && { step }) }
  }

  protected args(): Argument[] {
    this.expect('operator', '(')
    return this.#series(')', () => this.#argument())
  }

  #argument(): Argument {
    if (this.skip('operator', '**')) return { kind: 'spreadNamed', name: '', value: this.expression() }
    if (this.skip('operator', '*')) return { kind: 'spread', name: '', value: this.expression() }
    if (!this.peek('name') || !this.follows('operator', '='))
      return { kind: 'positional', name: '', value: this.expression() }
    const name = this.next().value
    this.next()
    return { kind: 'named', name, value: this.expression() }
  }

  #filterCall(): FilterCall {
    const name = this.#dotted()
    return { name, args: this.peek('operator', '(') ? this.args() : [] }
  }

  #test(value: Expression): Expression {
    const negated = this.skip('name', 'not')
    const name = this.#dotted()
    const args = this.peek('operator', '(') ? this.args() : this.#bareArgument()
    return { type: 'test', value, test: { name, args }, negated }
  }

  /** A test's only argument needs no parentheses: `is divisibleby 3`. */
  #bareArgument(): Argument[] {
    const { type, value } = this.token
    if (this.peek('name', 'is')) this.fail('tests cannot be chained with is')
    const starts =
      type === 'string' ||
      type === 'integer' ||
      type === 'float' ||
      (type === 'name' && !['else', 'or', 'and'].includes(value)) ||
      (type === 'operator' && ['[', '{'].includes(value))
    return starts ? [{ kind: 'positional', name: '', value: this.#postfix(this.#primary()) }] : []
  }

  #dotted(): string {
    let name = this.expect('name').value
    while (this.skip('operator', '.')) name += `.${this.expect('name').value}`
    return name
  }
}
