/** Jinja's filters for texts. Source: jinja2/filters.py. */
import { methods } from './collection-methods.ts'
import { assertSize } from './budget.ts'
import { fail } from './error.ts'
import { formatPercent, pad } from './format.ts'
import { dumps } from './json.ts'
import { iterate, str, toInteger } from './python.ts'
import { capitalize, joinTexts, replace } from './string-methods.ts'
import { characters, lines, split, strip, textLength } from './text.ts'
import { Dict, Undefined, tuple } from './values.ts'
import type { Value } from './values.ts'

const html: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' }
const escape = (value: Value): string => str(value).replace(/[&<>'"]/g, (mark) => html[mark]!)

/** Every word begins large; white space, hyphens and opening brackets stand before words. */
const title = (value: Value): string =>
  str(value)
    .split(/([-\s({[<]+)/)
    .map(capitalize)
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

export const textFilters = methods<Value>({
  capitalize: ['', (value) => capitalize(str(value))],
  center: ['width?', (value, width = 80n) => pad(str(value), toInteger(width), '^')],
  e: ['', escape],
  escape: ['', escape],
  indent: ['width? first? blank?', indent],
  lower: ['', (value) => str(value).toLowerCase()],
  replace: [
    'old new count?',
    (value, old, by, count = null) => replace(str(value), str(old!), str(by!), count === null ? -1 : toInteger(count)),
  ],
  // Nothing is escaped unless a template asks for it, so there is nothing to mark.
  safe: ['', str],
  string: ['', str],
  title: ['', title],
  tojson: ['ensure_ascii? indent? separators? sort_keys?', tojson],
  trim: ['chars?', (value, chars = null) => strip(str(value), chars === null ? null : str(chars))],
  truncate: ['length? killwords? end? leeway?', truncate],
  upper: ['', (value) => str(value).toUpperCase()],
  wordcount: ['', (value) => BigInt(str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)],
})

/** `format`: the arguments take the places of `%s` and its like. */
export function format(value: Value, positional: readonly Value[], named: ReadonlyMap<string, Value>): string {
  if (positional.length > 0 && named.size > 0) fail("can't handle positional and keyword arguments at the same time")
  assertSize(positional.length)
  return formatPercent(str(value), named.size > 0 ? new Dict(named) : tuple(...positional))
}
