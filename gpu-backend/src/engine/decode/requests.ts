/** What is asked of the engine for a text: to draft steps, and to verify them. */
import type * as wire from '@lookahead/sdk/protocol'
import type { Sampling } from '../sampling/distribution.ts'

interface Common {
  sampling: Sampling
}

export type DraftRequest = Omit<wire.DraftRequest, keyof Common> & Common

export type VerifyRequest = Omit<wire.VerifyRequest, keyof Common> & Common
