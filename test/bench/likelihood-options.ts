import { foreignKinds } from '@lookahead/gpu-backend/dataset'
import type { ForeignKind } from '@lookahead/gpu-backend/dataset'
import { decimal, listOf, Option, script, whole } from '@lookahead/gpu-backend/flags'
import { LIKELIHOOD_THRESHOLD } from '@lookahead/worker/verifiers'
import { pairs } from './options.ts'

export interface LikelihoodBenchOptions {
  limit: number
  thresholds: number[]
  pair: (typeof pairs)[number]
  /** What is foreign in the questions; nothing: those of the test split. */
  foreign: ForeignKind[]
  /** Default: the model's own. */
  temperature?: number | undefined
  depth: number
  /** Of the first problem's sampling; those of the others follow. */
  seed: number
  json: boolean
}

export const readOptions = (): LikelihoodBenchOptions =>
  script('bench:likelihood', 'What the verifier likelihood costs in accuracy, by threshold.')
    .option('--limit <n>', 'problems', whole(1), 100)
    .option('--thresholds <a,b>', 'of the verifier, above 0 and up to 1', thresholds, [LIKELIHOOD_THRESHOLD])
    .addOption(
      new Option('--pair <which>', 'the draft: one that is near to the target, or far')
        .choices(pairs)
        .default('near' as const),
    )
    .option(
      '--foreign <a,b>',
      `what is foreign in the questions: of ${foreignKinds.join(', ')}`,
      listOf(foreignKinds),
      [],
    )
    .option('--temperature <t>', "default: the model's own", decimal(0, 2))
    .option('--depth <n>', 'steps drafted ahead', whole(1, 16), 8)
    .option('--seed <n>', "of the first problem's sampling; those of the others follow", whole(0), 0)
    .option('--json', 'results alone on stdout', false)
    .parse()
    .opts()

const thresholds = (text: string): number[] => text.split(',').map(decimal(Number.MIN_VALUE, 1))
