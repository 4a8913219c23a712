/** What is asked of the engine for a text: to draft steps, and to verify them. */
import type { Sampling } from '../sampling/distribution.ts'
import type { StepRules } from '../text/step.ts'

interface Common {
  sampling: Sampling
  /** How the text is cut into steps: alike in all calls on it, or drafted steps end elsewhere than the target's. */
  stepRules: StepRules
}

export interface DraftRequest extends Common {
  /** Steps to draft ahead (γ1). */
  depth: number
  /** Alternatives to draft for each, the first included. With `follow`, the verification says how many. */
  width: number
  /** Goes on as long as the text does, as far ahead of what is committed as the verification says. */
  follow: boolean
  /** Tokens guessed per forward at most by n-gram lookup in the text; 0 is off. */
  speculation: { ngram: number }
}

interface NamedStep {
  /** As the draft gave it. Default: it came as text alone. */
  id?: string | undefined
  text: string
}

export interface VerifyRequest extends Common {
  /** Drafted steps in order, each with the further alternatives for its place. */
  steps: readonly (NamedStep & { alternatives: readonly NamedStep[] })[]
  /** Where steps are drafted meanwhile: how many may stand uncommitted. 0: the target writes alone. */
  depth: number
  /** Where steps are drafted meanwhile: alternatives for each, the first included. */
  width: number
  /** Where steps are drafted meanwhile: whether that overlaps with verification. Default: as is best on this machine. */
  overlap?: boolean | undefined
  /** The verifier's name. */
  verifier: string
  /** How strict the verifier is. Default: as strict as it is by itself. */
  threshold?: number | undefined
  /** Whether drafted tokens are guesses, and tokens guessed per forward at most by n-gram lookup and by the draft model. */
  speculation: { drafted: boolean; ngram: number; draft: number }
  /** Whether draft and target draw with the same noise. Default: with a seed, and where nothing is guessed. */
  coupled?: boolean | undefined
  /** Steps that the target writes after the last accepted one. */
  decode: number | 'end'
  /** Tokens that one verification may commit; over many cycles, output tokens that the text may have in all. */
  maxTokens: number
  /** Strings that end the text. */
  stop: readonly string[]
  /** Whether they count in the thinking too. */
  stopInReasoning: boolean
}
