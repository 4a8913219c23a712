/** The GPU backend's words for steps, verdicts and work, and the cycle's. */
import type * as wire from '@lookahead/sdk/protocol'
import type { VerifyEvent, VerifyRequestInput } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../lookahead/upstream.ts'
import type * as domain from '../lookahead/upstream.ts'

export function stepOf({ id, index, alternative, text, tokens }: wire.DraftedStep) {
  return { type: 'step' as const, id, index, ...(alternative ? { alternative } : {}), text, tokens }
}

/** As a request names them: each place's first step, and with it its other alternatives. */
export const named = (drafted: readonly domain.DraftedStep[]): VerifyRequestInput['steps'] =>
  drafted
    .filter(({ alternative }) => !alternative)
    .map(({ id, index, text }) => {
      const others = drafted.filter((other) => other.index === index && other.alternative)
      const alternatives = others.map((other) => ({ id: other.id, text: other.text }))
      return { id, text, ...(alternatives.length > 0 && { alternatives }) }
    })

export function verdict(
  { index, alternative, accepted, reason, probability, target }: Extract<VerifyEvent, { type: 'verdict' }>,
  drafted: readonly domain.DraftedStep[],
): domain.Verdict {
  const ruled = drafted.find((one) => one.index === index && one.alternative === alternative)
  if (!ruled) throw new UpstreamError('bad_event', 'the backend ruled on a step that was not drafted')
  return { type: 'verdict', step: ruled.id, accepted, reason, probability, target }
}

export function work({ timings, speculation }: Extract<VerifyEvent, { type: 'done' | 'cycle' }>): domain.Work {
  const { draft_ms: draftMs, target_ms: targetMs, judge_ms: judgeMs, prompt_ms: promptMs, forwards } = timings
  return {
    draftMs,
    targetMs,
    judgeMs,
    promptMs,
    forwards,
    proposed: speculation.proposed,
    accepted: speculation.accepted,
  }
}
