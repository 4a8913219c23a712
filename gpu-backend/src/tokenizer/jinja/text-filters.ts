/** Jinja's filters for texts. Source: jinja2/filters.py. */
import { methods } from './collection-methods.ts'
import { assertSize, withinSize } from './budget.ts'
import { capitalize, lower, upper } from './case.ts'
import { fail } from './error.ts'
import { formatPercent, pad } from './format.ts'
import { dumps } from './json.ts'
import { escape, formatEscaped } from './markup.ts'
import { isIterable, iterate, repr, str, toInteger } from './python.ts'
import { plain } from './stand-ins.ts'
import { joinTexts, replace } from './string-methods.ts'
import { characters, lines, pythonic, split, strip, textLength } from './text.ts'
import { Dict, Markup, Undefined, tuple, typeName } from './values.ts'
import type { Arguments, Value } from './values.ts'

const beforeWords = pythonic(/((?:[-({[<]|\s)+)/)

/** Every word begins large; white space, hyphens and opening brackets stand before words. */
const title = (value: Value): string =>
  str(value)
    .split(beforeWords)
    .map((part) => {
      const [first = ''] = characters(part)
      return upper(first) + lower(part.slice(first.length))
    })
    .join('')

/** Lines after the first, but for empty ones, are moved in. */
function indent(value: Value, width: Value = 4n, first: Value = false, blank: Value = false): string {
  if (typeof value !== 'string') return value instanceof Undefined ? value.fail() : fail('indent needs a text')
  const space = typeof width === 'string' ? width : pad('', toInteger(width), '<')
  const [start = '', ...rest] = lines(`${value}\n`)
  const moved = rest.map((line) => (line === '' && blank !== true ? line : space + line))
  return joinTexts([(first === true ? space : '') + start, ...moved], '\n')
}

function truncate(
  value: Value,
  length: Value = 255n,
  killwords: Value = false,
  end: Value = '...',
  leeway: Value = 5n,
): string {
  const [text, most, mark] = [str(value), toInteger(length), str(end)]
  if (most < textLength(mark)) fail(`expected length >= ${textLength(mark)}, got ${most}`)
  if (textLength(text) <= most + toInteger(leeway)) return text
  const cut = characters(text)
    .slice(0, most - textLength(mark))
    .join('')
  return (killwords === true ? cut : split(cut, ' ', 1, true)[0]!) + mark
}

function tojson(
  value: Value,
  ensureAscii: Value = false,
  indentation: Value = null,
  separators: Value = null,
  sortKeys: Value = false,
): string {
  const indented = indentation !== null
  const [item, key] = separators === null ? [indented ? ',' : ', ', ': '] : iterate(separators).map(str)
  if (item === undefined || key === undefined) return fail('separators are two texts')
  const space =
    typeof indentation === 'string' ? indentation : indented ? pad('', toInteger(indentation), '<') : undefined
  return dumps(value, {
    indent: space,
    separators: [item, key],
    sortKeys: sortKeys === true,
    ensureAscii: ensureAscii === true,
  })
}

/** A text as a part of a path, or pairs as a query. */
function urlencode(value: Value): string {
  if (typeof value === 'string' || !isIterable(value) || value instanceof Undefined)
    return urlQuoted(str(value), /[\w.~/-]/)
  const pairs = value instanceof Dict ? [...value.entries()] : iterate(value).map((pair) => iterate(pair))
  const fields = pairs.map((pair) => {
    if (pair.length !== 2) fail(`expected 2 values to unpack, got ${pair.length}`)
    return pair.map((part) => urlQuoted(str(part), /[\w.~-]/).replaceAll('%20', '+')).join('=')
  })
  return joinTexts(fields, '&')
}

function urlQuoted(text: string, kept: RegExp): string {
  const quote = (character: string): string => {
    const said = plain(character)
    if (kept.test(said)) return character
    if (!said.isWellFormed()) fail('surrogates cannot be encoded')
    return "!'()*".includes(said) ? `%${said.charCodeAt(0).toString(16).toUpperCase()}` : encodeURIComponent(said)
  }
  return text.replace(/[^\w.~-]/gu, withinSize(quote))
}

/** The entries of a dict as attributes of XML; those without a value are left out. */
function xmlattr(value: Value, autospace: Value = true): string {
  if (!(value instanceof Dict)) return fail(`'${typeName(value)}' object has no attribute 'items'`)
  const attributes = Array.from(value.entries(), ([key, entry]) => {
    if (entry === null || entry instanceof Undefined) return ''
    if (typeof key !== 'string' || /[ \t\n\r\f\v/>=]/.test(plain(key)))
      fail(`Invalid character in attribute name: ${repr(key)}`)
    return ` ${escape(key).text}="${escape(entry).text}"`
  })
  return joinTexts(attributes, '').slice(autospace === true ? 0 : 1)
}

export const textFilters = methods<Value>({
  capitalize: ['', (value) => capitalize(str(value))],
  center: ['width?', (value, width = 80n) => pad(str(value), toInteger(width), '^')],
  indent: ['width? first? blank?', indent],
  lower: ['', (value) => lower(str(value))],
  replace: [
    'old new count?',
    (value, old, by, count = null) => replace(str(value), str(old!), str(by!), count === null ? -1 : toInteger(count)),
  ],
  title: ['', title],
  tojson: ['ensure_ascii? indent? separators? sort_keys?', tojson],
  trim: ['chars?', (value, chars = null) => strip(str(value), chars === null ? null : str(chars))],
  truncate: ['length? killwords? end? leeway?', truncate],
  upper: ['', (value) => upper(str(value))],
  urlencode: ['', urlencode],
  wordcount: ['', (value) => BigInt(str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)],
  xmlattr: ['autospace?', xmlattr],
})

/** `format`: the arguments take the places of `%s` and its like. */
export function format(value: Value, { positional, named }: Arguments): Value {
  if (positional.length > 0 && named.size > 0) fail("can't handle positional and keyword arguments at the same time")
  assertSize(positional.length)
  const given = named.size > 0 ? new Dict(named) : tuple(...positional)
  return value instanceof Markup ? formatEscaped(value, given) : formatPercent(str(value), given)
}
