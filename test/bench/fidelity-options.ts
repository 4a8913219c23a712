import { FAMILIES, foreignKinds } from '@lookahead/gpu-backend/dataset'
import type { ForeignKind } from '@lookahead/gpu-backend/dataset'
import { decimal, listOf, Option, script, some, whole } from '@lookahead/gpu-backend/flags'
import { modes } from '@lookahead/sdk/protocol'
import type { Mode } from '@lookahead/sdk'

export interface FidelityOptions {
  limit: number
  /** Default: all. */
  families?: string[] | undefined
  /** What is foreign in the questions; nothing: those of the test split. */
  foreign: ForeignKind[]
  modes: Mode[]
  /** Sampled runs of plain decoding that tell, with a greedy one, what plain decoding says. */
  plain: number
  verifier: string
  depth: number
  seed: number
  leastLogprob?: number | 'off' | undefined
  inProcess: boolean
  json: boolean
}

/** @param name of the script @param description what it does, for the help */
export function readOptions(name: string, description: string): FidelityOptions {
  const flags = script(name, description)
    .option('--limit <n>', 'problems', whole(1), 100)
    .option(
      '--families <a,b>',
      'of these families only, for example fractions',
      listOf(FAMILIES.map((family) => family.name)),
    )
    .option(
      '--foreign <a,b>',
      `what is foreign in them: of ${foreignKinds.join(', ')} (default: all), or none`,
      foreign,
    )
    .option(
      '--least-logprob <n>',
      "as the backend's flag; off: without the gate (default: the backend's)",
      leastLogprob,
    )
    .option('--modes <a,b>', `of ${modes.join(', ')} (default: all)`, listOf(modes))
    .option('--plain <n>', 'sampled runs of plain decoding to compare with, beside a greedy one', whole(0), 3)
    .option('--verifier <name>', 'what rules on drafted steps', some, 'likelihood')
    .option('--depth <n>', 'steps drafted ahead', whole(1), 8)
    .option('--seed <n>', 'of the sampling', whole(0), 0)
    .addOption(
      new Option('--in-process', 'no worker and no HTTP: cycle and engine in this process')
        .default(false)
        .conflicts('leastLogprob'),
    )
    .option('--json', 'results alone on stdout', false)
    .parse()
    .opts()
  return { ...flags, modes: [...new Set(flags.modes ?? modes)], foreign: flags.foreign ?? [...foreignKinds] }
}

const foreign = (text: string): ForeignKind[] => (text === 'none' ? [] : listOf(foreignKinds)(text))
const leastLogprob = (text: string): number | 'off' => (text === 'off' ? text : decimal(-Infinity, 0)(text))
