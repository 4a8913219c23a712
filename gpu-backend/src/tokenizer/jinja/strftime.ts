/** Python's `datetime.strftime` in the C locale. */
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
const two = (value: number): string => String(value).padStart(2, '0')
const hour12 = (date: Date): number => date.getHours() % 12 || 12
const dayOfYear = (date: Date): number =>
  (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) / 86_400_000

const directives: ReadonlyMap<string, (date: Date) => string> = new Map<string, (date: Date) => string>([
  ['a', (date) => days[date.getDay()]!.slice(0, 3)],
  ['A', (date) => days[date.getDay()]!],
  ['b', (date) => months[date.getMonth()]!.slice(0, 3)],
  ['B', (date) => months[date.getMonth()]!],
  ['c', (date) => strftime(date, '%a %b %e %H:%M:%S %Y')],
  ['d', (date) => two(date.getDate())],
  ['D', (date) => strftime(date, '%m/%d/%y')],
  ['e', (date) => String(date.getDate()).padStart(2, ' ')],
  ['f', (date) => `${String(date.getMilliseconds()).padStart(3, '0')}000`],
  ['F', (date) => strftime(date, '%Y-%m-%d')],
  ['h', (date) => strftime(date, '%b')],
  ['H', (date) => two(date.getHours())],
  ['I', (date) => two(hour12(date))],
  ['j', (date) => String(dayOfYear(date)).padStart(3, '0')],
  ['m', (date) => two(date.getMonth() + 1)],
  ['M', (date) => two(date.getMinutes())],
  ['n', () => '\n'],
  ['p', (date) => (date.getHours() < 12 ? 'AM' : 'PM')],
  ['S', (date) => two(date.getSeconds())],
  ['t', () => '\t'],
  ['T', (date) => strftime(date, '%H:%M:%S')],
  ['u', (date) => String(date.getDay() || 7)],
  ['w', (date) => String(date.getDay())],
  ['x', (date) => strftime(date, '%m/%d/%y')],
  ['X', (date) => strftime(date, '%H:%M:%S')],
  ['y', (date) => two(date.getFullYear() % 100)],
  ['Y', (date) => String(date.getFullYear())],
  // The time has no zone.
  ['z', () => ''],
  ['Z', () => ''],
  ['%', () => '%'],
])

/** `%-d` is `%d` without the zeros before it. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (whole, bare: string, directive: string) => {
    const text = directives.get(directive)?.(date)
    return bare ? (text?.replace(/^[0 ]+(?=.)/, '') ?? whole) : (text ?? whole)
  })
}
