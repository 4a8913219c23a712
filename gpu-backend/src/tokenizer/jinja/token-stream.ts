/** Tokens, read one after the other. */
import { TemplateError } from './error.ts'
import type { Token } from './lexer.ts'

export class TokenStream {
  readonly #tokens: readonly Token[]
  #at = 0

  /** @param tokens The last is of type `eof`. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  protected get token(): Token {
    return this.#tokens[this.#at]!
  }

  protected next(): Token {
    const { token } = this
    if (token.type !== 'eof') this.#at++
    return token
  }

  protected peek(type: Token['type'], value?: string): boolean {
    return this.token.type === type && (value === undefined || this.token.value === value)
  }

  /** Whether it is the token after the next. */
  protected follows(type: Token['type'], value: string): boolean {
    const after = this.#tokens[this.#at + 1]
    return after?.type === type && after.value === value
  }

  protected skip(type: Token['type'], value?: string): boolean {
    if (!this.peek(type, value)) return false
    this.#at++
    return true
  }

  protected expect(type: Token['type'], value?: string): Token {
    if (this.peek(type, value)) return this.next()
    return this.fail(`${value === undefined ? `a ${type}` : `'${value}'`} is missing before ${describe(this.token)}`)
  }

  protected fail(message: string, { line } = this.token): never {
    throw new TemplateError(`line ${line}: ${message}`)
  }
}

export function describe({ type, value }: Token): string {
  if (type === 'eof') return 'the end of the template'
  if (type === 'end') return 'the end of the tag'
  return type === 'text' ? 'text' : `'${value}'`
}
