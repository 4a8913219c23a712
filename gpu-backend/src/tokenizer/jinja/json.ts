/** Python's `json.dumps`, with the defaults that transformers gives templates. */
import { assertSize, spend } from './budget.ts'
import { fail } from './error.ts'
import { compare, floatText, iterate, str } from './python.ts'
import { plain } from './stand-ins.ts'
import { Dict, Markup, isTuple, typeName } from './values.ts'
import type { Value } from './values.ts'

export interface JsonStyle {
  /** Puts every item on a line of its own. */
  indent: string | undefined
  /** Between items, and between a key and its value. */
  separators: readonly [string, string]
  sortKeys: boolean
  ensureAscii: boolean
}

export function dumps(value: Value, style: JsonStyle, depth = 0): string {
  spend()
  if (value instanceof Markup) return dumps(value.text, style, depth)
  if (value === null) return 'null'
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return textOf(value, style.ensureAscii)
  if (Array.isArray(value) || isTuple(value))
    return block(
      '[',
      ']',
      iterate(value).map((item) => dumps(item, style, depth + 1)),
      style,
      depth,
    )
  if (!(value instanceof Dict)) return fail(`Object of type ${typeName(value)} is not JSON serializable`)
  const entries = [...value.entries()]
  if (style.sortKeys) entries.sort(([a], [b]) => compare(a, b))
  const texts = entries.map(
    ([key, item]) => textOf(keyText(key), style.ensureAscii) + style.separators[1] + dumps(item, style, depth + 1),
  )
  return block('{', '}', texts, style, depth)
}

function block(open: string, close: string, items: readonly string[], style: JsonStyle, depth: number): string {
  if (items.length === 0) return open + close
  const line = (level: number) => (style.indent === undefined ? '' : `\n${style.indent.repeat(level)}`)
  const separator = style.separators[0] + line(depth + 1)
  assertSize(items.reduce((sum, { length }) => sum + length + separator.length, 0))
  return open + line(depth + 1) + items.join(separator) + line(depth) + close
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? floatText(value) : value > 0 ? 'Infinity' : '-Infinity'
}

function keyText(key: Value): string {
  if (key === null) return 'null'
  return typeof key === 'boolean' ? String(key) : str(key)
}

/** JavaScript escapes lone surrogates always, Python only where it escapes all that is not ASCII. */
function textOf(text: string, ensureAscii: boolean): string {
  const json = JSON.stringify(text).replace(/\\(?:u(d[89a-f]..)|.)/g, (escape, surrogate: string | undefined) =>
    surrogate === undefined ? escape : String.fromCharCode(Number.parseInt(surrogate, 16)),
  )
  if (!ensureAscii) return json
  return json.replace(/[\u007f-\uffff]/g, (unit) => {
    const code = plain(unit).charCodeAt(0)
    return code < 0x7f ? unit : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
