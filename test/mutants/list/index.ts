import type { Area } from '../mutant.ts'
import { access } from './access.ts'
import { batching } from './batching.ts'
import { contexts } from './contexts.ts'
import { decode } from './decode.ts'
import { dialects } from './dialects.ts'
import { embedding } from './embedding.ts'
import { following } from './following.ts'
import { judging } from './judging.ts'
import { lookahead } from './lookahead.ts'
import { memory } from './memory.ts'
import { otherEngines } from './other-engines.ts'
import { reported } from './reported.ts'
import { sampling } from './sampling.ts'
import { sdk } from './sdk.ts'
import { server } from './server.ts'
import { speculation } from './speculation.ts'
import { stored } from './stored.ts'
import { text } from './text.ts'
import { verifiers } from './verifiers.ts'
import { width } from './width.ts'
import { worker } from './worker.ts'

/** All mutants, by the folder they are in; of overlapped cycles, which are in many, together. To add one, add it to its area's file. */
export const areas: readonly Area[] = [
  verifiers,
  lookahead,
  worker,
  access,
  dialects,
  decode,
  following,
  width,
  otherEngines,
  judging,
  embedding,
  speculation,
  sampling,
  text,
  contexts,
  memory,
  batching,
  server,
  sdk,
  stored,
  reported,
]
