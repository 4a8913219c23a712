/** Python's numbers in the forms that a format names. */
import { fail } from './error.ts'
import { floatText } from './python.ts'

export interface NumberStyle {
  type: string | undefined
  /** Digits after the point, or of all. */
  places?: number | undefined
  grouping?: string
  /** `#`: the mark of the radix, the point and its zeros are always there. */
  alternate: boolean
}

export function numberText(value: bigint | number, style: NumberStyle): string {
  const { type, grouping = '' } = style
  if (type === 'n' && grouping !== '') return fail(`Cannot specify '${grouping}' with 'n'.`)
  if ('bdoxX'.includes(type ?? '.') || (typeof value === 'bigint' && (type === undefined || type === 'n')))
    return wholeText(value, style)
  const text = floatStyled(Number(value), style)
  return grouped(type && 'EFG'.includes(type) ? text.toUpperCase() : text, grouping)
}

function wholeText(value: bigint | number, { type, places, grouping = '', alternate }: NumberStyle): string {
  if (typeof value !== 'bigint') return fail(`Unknown format code '${type}' for object of type 'float'`)
  if (places !== undefined) return fail('Precision not allowed in integer format specifier')
  const radix = { b: 2, o: 8, x: 16, X: 16 }[type ?? '']
  const text = value.toString(radix)
  if (!radix) return grouped(text, grouping)
  if (grouping === ',') return fail(`Cannot specify ',' with '${type}'.`)
  const marked = grouped(text, grouping, 4).replace(/^-?/, (sign) => sign + (alternate ? `0${type}` : ''))
  return type === 'X' ? marked.toUpperCase() : marked
}

function floatStyled(value: number, { type, places, alternate }: NumberStyle): string {
  if (!Number.isFinite(value)) return floatText(value) + (type === '%' ? '%' : '')
  switch (type) {
    case 'f':
    case 'F':
      return pointed(rounded(value, places ?? 6), alternate)
    case '%':
      return `${pointed(rounded(value * 100, places ?? 6), alternate)}%`
    case 'e':
    case 'E':
      return pointed(exponential(value, places ?? 6), alternate)
    case undefined:
      return places === undefined
        ? pointed(floatText(value), alternate)
        : withPoint(general(value, places, alternate, -1))
    default:
      return general(value, places ?? 6, alternate, 0)
  }
}

/** With so many digits in all, and a power of ten where it would be long. Zeros at the end go. @param more powers of ten */
function general(value: number, places: number, alternate: boolean, more: number): string {
  const digits = Math.max(1, places)
  const scientific = exponential(value, digits - 1)
  const power = Number(scientific.split('e')[1])
  const text = power < -4 || power >= digits + more ? scientific : rounded(value, digits - 1 - power)
  return alternate ? pointed(text, true) : text.replace(/\.\d+/, (fraction) => fraction.replace(/\.?0+$/, ''))
}

const withPoint = (text: string): string => (/[.e]/.test(text) ? text : `${text}.0`)

/** With a point in any case, if there must be one. */
const pointed = (text: string, must: boolean): string =>
  must && !text.includes('.') ? text.replace(/(?=e|$)/, '.') : text

function grouped(text: string, mark: string, size = 3): string {
  if (mark === '') return text
  const places = new RegExp(`\\B(?=(?:\\w{${size}})+$)`, 'g')
  return text.replace(/^-?\w+/, (whole) => whole.replace(places, mark))
}

/** With so many digits after the point; what lies in the middle goes to the even digit. */
export function rounded(value: number, places: number): string {
  if (!Number.isFinite(value)) return floatText(value)
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (places > 0 ? `.${'0'.repeat(bounded(places))}` : '')
  return evenly(value, places, (digits) => value.toFixed(digits))
}

function exponential(value: number, places: number): string {
  return evenly(value, places, (digits) => value.toExponential(digits)).replace(/(?<=e[-+])(?=\d$)/, '0')
}

/** JavaScript rounds away from zero what lies in the middle, and can write no more than 100 places. */
function evenly(value: number, places: number, write: (places: number) => string): string {
  const more = Math.min(40, 100 - bounded(places))
  const [exact, power] = write(places + more).split('e') as [string, string | undefined]
  const towardsZero = exact.slice(0, exact.length - more).replace(/\.$/, '')
  const isEven = more > 0 && /^50*$/.test(exact.slice(-more)) && Number(towardsZero.at(-1)) % 2 === 0
  const text = isEven ? towardsZero + (power === undefined ? '' : `e${power}`) : write(places)
  return Object.is(value, -0) ? `-${text}` : text
}

const bounded = (places: number): number =>
  places <= 100 ? places : fail('more than 100 decimal places are not supported in templates')

/** The sign and the mark of a radix, and what stands after them. */
export function parted(text: string): [string, string] {
  const [mark] = /^-?(?:0[box])?/i.exec(text)!
  return [mark, text.slice(mark.length)]
}
