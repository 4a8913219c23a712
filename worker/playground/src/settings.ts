/** What can be chosen, and the request that it makes. */
import type { RunRequestInput } from '@lookahead/sdk'
import { modes } from '@lookahead/sdk/protocol'
import type { verifiers } from '@lookahead/sdk/protocol'
import type { Mode } from '@lookahead/sdk'

export type VerifierName = (typeof verifiers)[number]

export interface Settings {
  mode: Mode
  /** Steps ahead at most, 1 to 16. */
  depth: number
  /** Alternatives for each, 1 to 8. */
  width: number
  verifier: VerifierName
  /** Plain decoding beside it. */
  race: boolean
}

export const defaults: Settings = { mode: 'auto', depth: 8, width: 1, verifier: 'likelihood', race: false }

export const modeWords: Record<Mode, string> = {
  auto: 'as far ahead as it pays',
  'lr+sd': 'steps and tokens ahead',
  lr: 'steps ahead',
  sd: 'tokens ahead',
  ar: 'plain decoding',
}
export const modeNames = modes.toReversed()

export const verifierWords: Record<VerifierName, string> = {
  likelihood: 'what the target finds typical',
  judge: 'a model compares meanings',
  exact: 'the target’s own words only',
  score: 'the target rates each draft',
  'judge-only': 'the model alone, no rules',
  random: 'a coin, for comparison',
}
export const verifierNames = Object.keys(verifierWords) as VerifierName[]

/** Whether steps are drafted, which is all that depth, width and verifier are about. */
export const looksAhead = (mode: Mode): boolean => mode !== 'ar' && mode !== 'sd'

/** What is as by default is left out. */
export function lookaheadOf({ mode, ...rest }: Settings): NonNullable<RunRequestInput['lookahead']> {
  const { depth, width, verifier } = rest
  if (!looksAhead(mode)) return { mode }
  return {
    mode,
    depth,
    ...(width === defaults.width ? {} : { width }),
    ...(verifier === defaults.verifier ? {} : { verifier }),
  }
}

export const requestOf = (question: string, settings: Settings): RunRequestInput => ({
  messages: [{ role: 'user', content: question }],
  lookahead: lookaheadOf(settings),
})

export const plainRequest = (request: RunRequestInput): RunRequestInput => ({ ...request, lookahead: { mode: 'ar' } })
