/** How the commands of this project read their flags: commander's way, with errors of one line and exit code 2. */
import { Command, InvalidArgumentError } from '@commander-js/extra-typings'

export { Option, type Command } from '@commander-js/extra-typings'

/** @param name what is typed to run it, which its errors begin with */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(paragraph(description))
    .helpOption('--help', 'shows this')
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: 120 })
    .configureOutput({
      outputError: (error, write) => {
        const line = error.trim().replace('error: ', '').replaceAll('\n', ' ')
        write(`${name}: ${line} (--help lists the flags)\n`)
      },
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
}

/** A text for the help, which breaks lines itself. */
export const paragraph = (text: string): string => text.replaceAll(/\s+/g, ' ')

/** A command that is run as `npm run NAME -- [flags]`. */
export const script = (name: string, description: string): Command =>
  command(`npm run ${name}`, description).usage('-- [flags]')

/** Reads a whole number; both bounds are allowed. */
export const whole =
  (least: number, most = Infinity) =>
  (text: string): number => {
    const number = decimal(least, most)(text)
    if (Number.isInteger(number)) return number
    throw new InvalidArgumentError('Give a whole number.')
  }

/** Reads a number; both bounds are allowed. */
export const decimal =
  (least: number, most = Infinity) =>
  (text: string): number => {
    const number = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isFinite(number) && number >= least && number <= most) return number
    const range =
      least === -Infinity ? `of at most ${most}` : `from ${least} ${most === Infinity ? 'up' : `to ${most}`}`
    throw new InvalidArgumentError(`Give a number ${range}.`)
  }

/** Reads a text, which must not be empty. */
export const some = (text: string): string => {
  if (text !== '') return text
  throw new InvalidArgumentError('It is empty.')
}

/** Reads a text of some form. @param what the form, in words */
export const matching =
  (form: RegExp, what: string) =>
  (text: string): string => {
    if (form.test(text)) return text
    throw new InvalidArgumentError(`Give ${what}.`)
  }

/** Reads a list of names, with commas between them. */
export const listOf =
  <const Name extends string>(names: readonly Name[]) =>
  (text: string): Name[] =>
    text.split(',').map((part) => {
      const name = names.find((candidate) => candidate === part)
      if (name !== undefined) return name
      throw new InvalidArgumentError(`Give some of ${names.join(', ')}, with commas between them.`)
    })

/** Reads points of a curve that rises to the right: `1:2.5,16:4`. */
export function points(text: string): [number, number][] {
  const read = text.split(',').map((pair) => pair.split(':').map((part) => decimal(0)(part)))
  const pairs = read.filter((pair): pair is [number, number] => pair.length === 2)
  if (pairs.length === read.length && pairs.every(([x], i) => i === 0 || x > pairs[i - 1]![0])) return pairs
  throw new InvalidArgumentError('Give pairs x:y, with commas between them, x rising.')
}
