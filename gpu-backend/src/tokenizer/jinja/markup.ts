/** Texts that are escaped, or marked as safe. Source: markupsafe. */
import { assertSize } from './budget.ts'
import { converted, formatPercent, formatValue } from './format.ts'
import { iterate, str } from './python.ts'
import { plain } from './stand-ins.ts'
import { Items, Markup, isTuple } from './values.ts'
import type { Arguments, Value } from './values.ts'

const html: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' }

/** What is escaped already stays as it is. */
export const escape = (value: Value): Markup => (value instanceof Markup ? value : forceescape(value))

export function forceescape(value: Value): Markup {
  const text = str(value).replace(/[&<>'"]|[\ud800-\udfff]/gu, (mark) => html[plain(mark)] ?? mark)
  assertSize(text.length)
  return new Markup(text)
}

/** A result for a text that was escaped: the texts in it are so too. */
export function marked(value: Value): Value {
  if (typeof value === 'string') return new Markup(value)
  if (Array.isArray(value)) return value.map(marked)
  return isTuple(value) ? new Items('tuple', value.take().map(marked)) : value
}

/** `+` with a text that is escaped: the other is escaped first. */
export function joinEscaped(a: Value, b: Value): Markup {
  const [left, right] = [escape(a).text, escape(b).text]
  assertSize(left.length + right.length)
  return new Markup(left + right)
}

/** `%`: what takes a place is escaped. */
export const formatEscaped = (format: Markup, given: Value): Markup =>
  new Markup(
    formatPercent(format.text, given, (value, conversion) =>
      conversion === 's' ? escape(value).text : escape(converted(value, conversion)).text,
    ),
  )

/** A field of `format`. */
export const fieldEscaped = (value: Value, spec: string): string =>
  value instanceof Markup && spec === '' ? value.text : escape(formatValue(value, spec)).text

/** The arguments of a method of an escaped text: what it puts in is escaped. */
export function argumentsEscaped(method: string, { positional, named }: Arguments): Arguments {
  const [first, second, ...rest] = positional
  if (method === 'join' && first !== undefined)
    return { positional: [iterate(first).map((item) => escape(item).text)], named }
  if (method === 'replace' && second !== undefined) return { positional: [first!, escape(second).text, ...rest], named }
  return { positional, named }
}
