/** What Python makes of the literals of a template. */
const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const escape = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g

/** The string between the quotes; an escape that Python does not know stays as it is. @param fail what to do with one that is not whole */
export function stringOf(quoted: string, fail: (message: string) => never): string {
  return quoted
    .slice(1, -1)
    .replace(escape, (whole: string, x?: string, u?: string, long?: string, octal?: string, single?: string) => {
      const hex = x ?? u ?? long
      if (single !== undefined && 'xuUN'.includes(single))
        return fail(`the escape ${whole} is not whole, or not supported`)
      if (single !== undefined) return escapes[single] ?? whole
      const code = hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16)
      return code > 0x10ffff ? fail(`no such character: ${whole}`) : String.fromCodePoint(code)
    })
}

export const integerOf = (digits: string): bigint => BigInt(digits.replaceAll('_', '').toLowerCase())

export const floatOf = (digits: string): number => Number(digits.replaceAll('_', ''))
