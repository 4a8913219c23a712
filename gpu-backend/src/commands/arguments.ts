import type { ParseArgsConfig } from 'node:util'
import { UsageError, parseFlags } from '../usage.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/**
 * A command's flags and its one positional argument.
 *
 * @param expected what the argument is, for example `a folder`
 * @throws UsageError for a flag that is not known or lacks its value, and unless there is exactly one argument
 */
export function readArguments<O extends Options>(args: string[], expected: string, options: O) {
  const { values, positionals } = parseFlags({ args, options, allowPositionals: true })
  const [argument, ...more] = positionals
  if (argument === undefined || more.length > 0) {
    const given = positionals.length === 0 ? 'nothing' : positionals.join(' ')
    throw new UsageError(`give ${expected}, not ${given}`)
  }
  return { values, argument }
}
