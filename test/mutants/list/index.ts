import type { Area } from '../mutant.ts'
import { commit } from './commit.ts'
import { memory } from './memory.ts'
import { sampling } from './sampling.ts'
import { sdk } from './sdk.ts'
import { server } from './server.ts'
import { speculation } from './speculation.ts'
import { worker } from './worker.ts'
import { verdicts } from './verdicts.ts'

/** All mutants. To add one, add it to its area's file. */
export const areas: readonly Area[] = [verdicts, commit, sampling, speculation, memory, server, worker, sdk]
