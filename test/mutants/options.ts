import { parseArgs } from 'node:util'

export interface MutantOptions {
  /** Only mutants whose area, file or meaning holds this. Default: all. */
  only: string
  /** Compares the list with the code, and runs nothing. */
  check: boolean
  json: boolean
}

export const help = `npm run mutants -- [flags]

Puts the faults of test/mutants/list into a copy of the repository, one at a time, and runs the tests nearest to each. Exits with
1 when fewer than 90 % are noticed, with 2 when the list does not fit the code or the tests fail without any fault.

  --only TEXT  those whose area, file or meaning holds it
  --check      only whether the list fits the code
  --json       the results alone on stdout`

/** @throws {TypeError} for a flag that cannot be meant */
export function readOptions(args: string[]): MutantOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: '' },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const { only, check, json } = values
  return { only, check, json }
}
