/** From a template's text to tokens, as Jinja reads it with `trim_blocks` and `lstrip_blocks`. Source: jinja2/lexer.py. */
import { TemplateError } from './error.ts'
import { pythonic, strip } from './text.ts'

export interface Token {
  /** `begin` and `end` are the marks of a tag: `{%` and `%}`, or `{{` and `}}`. */
  type: 'text' | 'begin' | 'end' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'eof'
  value: string
  line: number
}

const opening = pythonic(/\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})|\{[%{#][-+]?/g)
const endOfRaw = pythonic(/\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g)
const endOfComment = pythonic(/(?:\+#\}|-#\}\s*|#\}\n?)/g)
/** The first line break after a block is not text; after an expression it is. */
const closing = { '{%': pythonic(/(?:\+%\}|-%\}\s*|%\}\n?)/y), '{{': pythonic(/(?:-\}\}\s*|\}\})/y) }
const parts: readonly (readonly [Token['type'] | 'space', RegExp])[] = [
  ['space', pythonic(/\s+/y)],
  ['float', /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[-+]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy],
  ['integer', /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy],
  ['name', /[\p{L}_][\p{L}\p{M}\p{N}_]*/uy],
  ['string', /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y],
  ['operator', /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,]/y],
]
const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** @throws TemplateError */
export function tokenize(source: string): Token[] {
  const lexer = new Lexer(source.replace(/\r\n?/g, '\n').replace(/\n$/, ''))
  lexer.run()
  return lexer.tokens
}

class Lexer {
  readonly tokens: Token[] = []
  readonly #source: string
  #at = 0
  #line = 1
  /** Whether what was read last ended a line, so that what comes next begins one. */
  #startsLine = true

  constructor(source: string) {
    this.#source = source
  }

  run(): void {
    for (let tag = this.#search(opening); tag; tag = this.#search(opening)) {
      const mark = tag[0].slice(0, 2) as '{%' | '{{' | '{#'
      this.#text(tag.index, tag[0][2] ?? '', mark !== '{{')
      this.#advance(tag[0])
      if (mark === '{#') this.#comment()
      else if (tag[0].includes('raw')) this.#raw()
      else this.#tag(mark)
    }
    this.#text(this.#source.length, '', false)
    this.#push('eof', '')
  }

  /** Text up to a tag: `-` takes the space before the tag away, a block also the indentation of its line, but for `+`. */
  #text(end: number, sign: string, isBlock: boolean): void {
    const text = this.#source.slice(this.#at, end)
    let kept = text
    if (sign === '-') kept = strip(text, null, { left: false })
    else if (sign !== '+' && isBlock) {
      const line = text.lastIndexOf('\n') + 1
      if ((line > 0 || this.#startsLine) && strip(text.slice(line), null) === '') kept = text.slice(0, line)
    }
    if (kept !== '') this.#push('text', kept)
    this.#advance(text)
  }

  #comment(): void {
    const end = this.#search(endOfComment) ?? this.#fail('a comment has no end')
    this.#advance(this.#source.slice(this.#at, end.index + end[0].length))
  }

  #raw(): void {
    const end = this.#search(endOfRaw) ?? this.#fail('raw has no endraw')
    this.#text(end.index, end[1]!, true)
    this.#advance(end[0])
  }

  #tag(mark: '{%' | '{{'): void {
    this.#push('begin', mark)
    const open: string[] = []
    for (;;) {
      const end = open.length === 0 ? this.#match(closing[mark]) : undefined
      if (end !== undefined) return this.#push('end', mark)
      const [type, value] = this.#part()
      if (type === 'space') continue
      if (type === 'operator') this.#balance(value, open)
      this.#push(type, value)
    }
  }

  #part(): [Token['type'] | 'space', string] {
    for (const [type, pattern] of parts) {
      const value = this.#match(pattern)
      if (value !== undefined) return [type, value]
    }
    const next = this.#source[this.#at]
    return this.#fail(next === undefined ? 'the template ends inside a tag' : `unexpected ${JSON.stringify(next)}`)
  }

  #balance(operator: string, open: string[]): void {
    const closer = closers[operator]
    if (closer) open.push(closer)
    else if (')]}'.includes(operator) && open.pop() !== operator) this.#fail(`unexpected '${operator}'`)
  }

  #search(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#source) ?? undefined
  }

  #match(pattern: RegExp): string | undefined {
    const found = this.#search(pattern)?.[0]
    if (found !== undefined) this.#advance(found)
    return found
  }

  #advance(read: string): void {
    if (read === '') return
    this.#at += read.length
    this.#startsLine = read.endsWith('\n')
    for (const character of read) if (character === '\n') this.#line++
  }

  #push(type: Token['type'], value: string): void {
    this.tokens.push({ type, value, line: this.#line })
  }

  #fail(message: string): never {
    throw new TemplateError(`line ${this.#line}: ${message}`)
  }
}
