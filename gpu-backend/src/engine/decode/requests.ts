/** What is asked of the engine for a text: to draft steps, and to verify them. */
import type * as wire from '@lookahead/sdk/protocol'
import type { Sampling } from '../sampling/distribution.ts'
import type { StepRules } from '../text/step.ts'

interface Common {
  sampling: Sampling
  /** How the text is cut into steps: alike in all calls on it, or drafted steps end elsewhere than the target's. */
  stepRules: StepRules
}

export type DraftRequest = Omit<wire.DraftRequest, 'sampling' | 'step_rules'> & Common

export type VerifyRequest = Omit<wire.VerifyRequest, 'sampling' | 'step_rules'> & Common
