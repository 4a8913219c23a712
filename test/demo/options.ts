import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** Undefined: the first of the held-out problems. */
  question: string | undefined
  json: boolean
}

export const help = `npm run demo -- ["a question"] [flags]

One question through the whole stack, with lookahead and without.

  --json  results alone on stdout`

/** @throws {TypeError} for a flag that is not known */
export function readOptions(args: string[]): DemoOptions | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) return 'help'
  return { question: positionals.join(' ') || undefined, json: values.json }
}
