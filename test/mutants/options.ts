import { script } from '@lookahead/gpu-backend/flags'

export interface MutantOptions {
  /** Only mutants whose area, file or meaning holds this. Default: all. */
  only: string
  /** Compares the list with the code, and runs nothing. */
  check: boolean
  json: boolean
}

export const readOptions = (): MutantOptions =>
  script(
    'mutants',
    `Puts the faults of test/mutants/list into a copy of the repository, one at a time, and runs the tests nearest to each. Exits
    with 1 when fewer than 90 % are noticed, with 2 when the list does not fit the code or the tests fail without any fault.`,
  )
    .option('--only <text>', 'those whose area, file or meaning holds it', '')
    .option('--check', 'only whether the list fits the code', false)
    .option('--json', 'the results alone on stdout', false)
    .parse()
    .opts()
