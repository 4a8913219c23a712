import { decimal, script, some, whole } from '@lookahead/gpu-backend/flags'

export interface VerifierBenchOptions {
  /** Default: all that the backend has. */
  verifiers?: string[] | undefined
  pairs: number
  seed: number
  /** Pairs that are asked about at one time, as a run with so many drafted steps does. */
  batch: number
  /** Folder of a checkpoint in the demo judge's place. */
  judge?: string | undefined
  leastLogprob?: number | undefined
  /** Problems of whole runs; 0: none. */
  runs: number
  depth: number
  json: boolean
}

export const readOptions = (): VerifierBenchOptions =>
  script('bench:verifiers', 'Verifiers on labelled pairs of steps, and in whole runs.')
    .option('--verifiers <a,b>', 'these only (default: all that the backend has, and what they are made of)', names)
    .option('--pairs <n>', 'labelled pairs', whole(2), 2800)
    .option('--seed <n>', 'of the pairs and of sampling', whole(0), 0)
    .option('--batch <n>', 'pairs that are asked about at one time', whole(1), 8)
    .option('--judge <folder>', 'another checkpoint in the place of the demo judge', some)
    .option('--least-logprob <n>', "as the backend's flag (default: the backend's)", decimal(-Infinity, 0))
    .option('--runs <n>', 'also so many problems with each verifier, in mode lr+sd', whole(0), 0)
    .option('--depth <n>', 'steps drafted ahead in those', whole(1), 8)
    .option('--json', 'results alone on stdout', false)
    .parse()
    .opts()

const names = (text: string): string[] => text.split(',').map(some)
