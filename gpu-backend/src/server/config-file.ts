/** Flags from a JSON file: `{ "models": "/models", "memory": 8192, "token": ["a", "b"] }`. Flags and variables that are given go before it. */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from '@commander-js/extra-typings'
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import type { Command } from '../flags.ts'
import { UsageError } from '../usage.ts'

const scalar = v.union([v.string(), v.number()])
const Config = dictionary(v.union([scalar, v.array(scalar)]))

/** @throws {UsageError} where the file has no such object, a flag that there is none of, or a value that the flag does not take */
export function readConfigFile(command: Command, file: string): void {
  for (const [name, value] of parse(file)) {
    const option = command.options.find(({ long }) => long === `--${name}` && name !== 'config')
    if (!option) throw new UsageError(`${file}: there is no flag --${name}`)
    const attribute = option.attributeName()
    if (!['default', undefined].includes(command.getOptionValueSource(attribute))) continue
    try {
      const text = String(value)
      command.setOptionValueWithSource(attribute, option.parseArg?.(text, undefined) ?? text, 'config')
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      throw new UsageError(`${file}: "${name}" cannot be ${JSON.stringify(value)}: ${error.message}`)
    }
  }
}

function parse(file: string): v.InferOutput<typeof Config> {
  const text = readFileSync(file, 'utf8')
  try {
    return v.parse(Config, JSON.parse(text))
  } catch {
    throw new UsageError(
      `${file}: must be JSON, an object of flags without their dashes, each a text, a number or a list of these`,
    )
  }
}
