/** Python's `datetime.strftime` in the C locale, as glibc has it. */
import { withinSize } from './budget.ts'
import { pad } from './format.ts'

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const hour12 = (date: Date): number => date.getHours() % 12 || 12
const half = (date: Date): string => (date.getHours() < 12 ? 'AM' : 'PM')
/** Without hours, of which days can have 23 or 25. */
const dayNumber = (year: number, month: number, day: number): number => Date.UTC(year, month, day) / 86_400_000
const dayOfYear = (date: Date): number =>
  dayNumber(date.getFullYear(), date.getMonth(), date.getDate()) - dayNumber(date.getFullYear(), 0, 0)
/** Weeks that have begun with this weekday since the year did. */
const week = (date: Date, first: number): number =>
  Math.floor((dayOfYear(date) + 6 - ((date.getDay() - first + 7) % 7)) / 7)
/** The Thursday of the ISO week, whose year and number are the week's. */
const thursday = (date: Date): Date =>
  new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7))

const texts: ReadonlyMap<string, (date: Date) => string> = new Map<string, (date: Date) => string>([
  ['a', (date) => days[date.getDay()]!.slice(0, 3)],
  ['A', (date) => days[date.getDay()]!],
  ['b', (date) => months[date.getMonth()]!.slice(0, 3)],
  ['B', (date) => months[date.getMonth()]!],
  ['c', (date) => strftime(date, '%a %b %e %H:%M:%S %Y')],
  ['D', (date) => strftime(date, '%m/%d/%y')],
  ['F', (date) => strftime(date, '%Y-%m-%d')],
  ['h', (date) => strftime(date, '%b')],
  ['n', () => '\n'],
  ['p', half],
  ['P', (date) => half(date).toLowerCase()],
  ['r', (date) => strftime(date, '%I:%M:%S %p')],
  ['R', (date) => strftime(date, '%H:%M')],
  ['t', () => '\t'],
  ['T', (date) => strftime(date, '%H:%M:%S')],
  ['x', (date) => strftime(date, '%m/%d/%y')],
  ['X', (date) => strftime(date, '%H:%M:%S')],
  // The time has no zone.
  ['Z', () => ''],
  ['%', () => '%'],
])

/** With the digits they have at least. */
const numbers: ReadonlyMap<string, readonly [number, (date: Date) => number]> = new Map<
  string,
  readonly [number, (date: Date) => number]
>([
  ['C', [2, (date) => Math.floor(date.getFullYear() / 100)]],
  ['d', [2, (date) => date.getDate()]],
  ['e', [2, (date) => date.getDate()]],
  ['g', [2, (date) => thursday(date).getFullYear() % 100]],
  ['G', [4, (date) => thursday(date).getFullYear()]],
  ['H', [2, (date) => date.getHours()]],
  ['I', [2, hour12]],
  ['j', [3, dayOfYear]],
  ['k', [2, (date) => date.getHours()]],
  ['l', [2, hour12]],
  ['m', [2, (date) => date.getMonth() + 1]],
  ['M', [2, (date) => date.getMinutes()]],
  ['s', [1, (date) => Math.floor(date.getTime() / 1000)]],
  ['S', [2, (date) => date.getSeconds()]],
  ['u', [1, (date) => date.getDay() || 7]],
  ['U', [2, (date) => week(date, 0)]],
  ['V', [2, (date) => Math.floor((dayOfYear(thursday(date)) + 6) / 7)]],
  ['w', [1, (date) => date.getDay()]],
  ['W', [2, (date) => week(date, 1)]],
  ['y', [2, (date) => date.getFullYear() % 100]],
  ['Y', [4, (date) => date.getFullYear()]],
])

/** `-` takes what fills a number up away, `_` makes it spaces and `0` zeros; `^` writes large, `#` names too but `%p` small. */
const directive = /%([-_0^#]*)(\d*)[EO]?([a-zA-Z%])/g

export function strftime(date: Date, format: string): string {
  const write = (whole: string, flags: string, width: string, name: string): string => {
    if (name === 'z') return ''
    // Python's own, which knows no flags.
    if (name === 'f') return whole === '%f' ? `${String(date.getMilliseconds()).padStart(3, '0')}000` : whole
    const fill = /[-_0](?=[^-_0]*$)/.exec(flags)?.[0] ?? ('ekl'.includes(name) ? '_' : undefined)
    const [digits, number] = numbers.get(name) ?? []
    if (number)
      return pad(
        String(number(date)),
        Math.max(fill === '-' ? 0 : digits!, Number(width)),
        '>',
        fill === '-' || fill === '_' ? ' ' : '0',
      )
    const text = texts.get(name)?.(date)
    return text === undefined ? whole : pad(cased(text, name, flags), Number(width), '>', fill === '0' ? '0' : ' ')
  }
  return format.replace(directive, withinSize(write))
}

function cased(text: string, name: string, flags: string): string {
  if (flags.includes('#') && name === 'p') return text.toLowerCase()
  const isLarge = (flags.includes('^') && name !== 'P') || (flags.includes('#') && 'aAbBh'.includes(name))
  return isLarge ? text.toUpperCase() : text
}
