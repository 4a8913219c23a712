/** How the commands of this project read their flags: commander's way, with errors of one line and exit code 2. */
import { Command, InvalidArgumentError } from '@commander-js/extra-typings'

export { Argument, Option, type Command } from '@commander-js/extra-typings'

/** @param name what is typed to run it, which its errors begin with */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption('--help', 'shows this')
    .helpCommand(false)
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: 120 })
    .configureOutput({
      outputError: (error, write) => {
        const said = text
          .trim()
          .replace(/^error: /, '')
          .replaceAll('\n', ' ')
        write(`${name}: ${said} (--help lists the flags)\n`)
      },
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
}

/** A command that is run as `npm run NAME -- [flags]`. */
export const script = (name: string, description: string): Command =>
  command(`npm run ${name}`, description).usage('-- [flags]')

/** Reads a flag's whole number; both bounds are allowed. */
export const whole =
  (least: number, most = Infinity) =>
  (given: string): number => {
    const number = given.trim() === '' ? Number.NaN : Number(given)
    if (Number.isInteger(number) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} ${most === Infinity ? 'up' : `to ${most}`}.`)
  }

/** Reads a flag's text, which must not be empty. */
export function text(given: string): string {
  if (given === '') throw new InvalidArgumentError('It is empty.')
  return given
}

/** Reads a flag's list: names of those there are, with commas between them. */
export const listOf =
  <const Name extends string>(names: readonly Name[]) =>
  (given: string): Name[] =>
    given.split(',').map((part) => {
      const name = names.find((candidate) => candidate === part)
      if (name === undefined) throw new InvalidArgumentError(`Give some of ${names.join(', ')}.`)
      return name
    })
