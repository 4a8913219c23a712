/** Many ways to write one answer, brought to fewer: what is only typesetting goes. */

const TYPESETTING: readonly [RegExp, string][] = [
  // Math mode, and a dollar sign that stands for money.
  [/\\\(|\\\)|\\\[|\\\]|\\?\$/g, ''],
  [/\\(?:left|right|big|Big|bigl|bigr|displaystyle|limits)(?![a-zA-Z])/g, ''],
  [/\\[dtc]frac(?![a-zA-Z])/g, String.raw`\frac`],
  // Thousands separators, before the spaces of LaTeX go.
  [/(\d)(?:\{,\}|\\,|\\!,|,\\!|\\ |\u202F|\u00A0)(?=\d{3}(?!\d))/g, '$1'],
  [/(?<!\\)\\[,;:!> ]|~|\\q?quad(?![a-zA-Z])|\u00A0|\u202F/g, ' '],
  [/\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degree(?![a-zA-Z])|°/g, ''],
  [/\\(?:text|mathrm|textbf|mathbf|mbox|textit)\s*\{([^{}]*)\}/g, ' $1 '],
  [/\\%/g, '%'],
  [/−|–/g, '-'],
  [/×/g, String.raw`\times `],
  [/\*\*/g, '^'],
  // To LaTeX only one digit is the exponent, to whoever writes it all are.
  [/\^(-?\d{2,})/g, '^{$1}'],
  [/(?<![\\a-zA-Z])sqrt\s*\(([^()]*)\)/g, String.raw`\sqrt{$1}`],
  [/√\s*(\d+)/g, String.raw`\sqrt{$1}`],
  [/(?<![\\a-zA-Z])pi(?![a-zA-Z])|π/g, String.raw`\pi `],
]

/** An answer without typesetting, white space at its ends and a full stop. */
export function plainNotation(answer: string): string {
  const bare = TYPESETTING.reduce((text, [form, by]) => text.replaceAll(form, by), answer)
  return bare.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '').trim()
}

/** `1,234,567` as one number. Where it could be a list of numbers too, it is taken for one number. */
export const withoutThousands = (text: string): string =>
  /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)/.test(text) ? text.replaceAll(/(\d),(?=\d{3}(?!\d))/g, '$1') : text

/** `x = 5` is 5, and so is `x \in [1, 2]` the interval. */
export const withoutName = (text: string): string => text.replace(/^[a-zA-Z](?:_\w|\([a-z]\))?\s*(?:=|\\in\b)\s*/, '')

/** A number with words after it, such as `12 cm`, `5.4 square units` or `3 m^2`, without them. */
export const withoutUnit = (text: string): string =>
  text
    .replace(/(?<=[\d})])\s+[a-zA-Z][a-zA-Z. /-]*(?:\^\s*\{?\s*-?\d\s*\}?)?$/, '')
    .replace(/^(-?[\d.]+)[a-zA-Z]{2,}$/, '$1')

/** Bracket, comma-separated entries, bracket; both empty for a list without brackets. `undefined` for what is no list. */
export interface List {
  open: string
  close: string
  entries: string[]
}

export function asList(text: string): List | undefined {
  const [, open = '', inner = text, close = ''] = /^(\\\{|\(|\[)(.*)(\\\}|\)|\])$/s.exec(text) ?? []
  const entries = splitOutside(inner)
  // `(a)(b)` begins and ends with brackets that are not each other's.
  const bracketed = open !== '' && entries !== undefined
  if (bracketed && (entries.length > 1 || open === String.raw`\{`)) return { open, close, entries }
  const bare = splitOutside(text)
  return bare !== undefined && bare.length > 1 ? { open: '', close: '', entries: bare } : undefined
}

/** The parts of a text between the commas that stand in no bracket, `undefined` where brackets do not match. */
function splitOutside(text: string): string[] | undefined {
  const parts = ['']
  let depth = 0
  for (const sign of text) {
    if ('([{'.includes(sign)) depth++
    if (')]}'.includes(sign) && --depth < 0) return undefined
    if (sign === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += sign
  }
  return depth === 0 ? parts.map((part) => part.trim()) : undefined
}
