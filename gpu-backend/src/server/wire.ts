/** `/v1/draft` and `/v1/verify` on the wire, both ways; the engine's requests and events have names of their own. */
import * as wire from '@lookahead/sdk/protocol'
import { encodeEvent, parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { ContextRef } from '../engine/contexts.ts'
import type { DraftRequest, VerifyRequest } from '../engine/decode/requests.ts'
import type { CycleDone, Done, DraftEvent, VerifyEvent } from '../engine/events.ts'
import type { Sampling } from '../engine/sampling/distribution.ts'
import type { PartRules, StepRules } from '../engine/text/step.ts'
import type { Encoder } from './stream.ts'

export type LookaheadEvent = DraftEvent | VerifyEvent

/** A request, and the text that it is about. */
type About<Asked> = Asked & { context: ContextRef; cacheSalt: string | undefined; follow: boolean }

/** @throws {ProtocolError} 400 */
export const readDraft = async (request: Request): Promise<About<DraftRequest>> => parseDraft(await readJson(request))

/** @throws {ProtocolError} 400 */
export const readVerify = async (request: Request): Promise<About<VerifyRequest>> =>
  parseVerify(await readJson(request))

/** @throws {ProtocolError} 400 */
export function parseDraft(body: unknown): About<DraftRequest> {
  const { context, sampling, step_rules: rules, ...same } = parseRequest(wire.DraftRequest, body)
  return { ...same, ...readContext(context), sampling: readSampling(sampling), stepRules: readRules(rules) }
}

/** @throws {ProtocolError} 400 */
export function parseVerify(body: unknown): About<VerifyRequest> {
  const {
    context,
    max_tokens: maxTokens,
    stop_in_reasoning: stopInReasoning,
    sampling,
    step_rules: rules,
    ...same
  } = parseRequest(wire.VerifyRequest, body)
  const own = { sampling: readSampling(sampling), stepRules: readRules(rules) }
  return { ...same, ...readContext(context), maxTokens, stopInReasoning, ...own }
}

const readContext = ({ cache_salt: cacheSalt, ...context }: wire.Context) => ({ context, cacheSalt })

export const readSampling = ({ top_k: topK, top_p: topP, min_p: minP, ...same }: wire.Sampling): Sampling => ({
  ...same,
  topK,
  topP,
  minP,
})

export const readRules = (rules: wire.StepRules): StepRules => ({
  reasoning: partRules(wire.rulesIn(rules, 'reasoning')),
  answer: partRules(wire.rulesIn(rules, 'answer')),
})

const partRules = ({ max_tokens: maxTokens, half_steps: halfSteps, ...same }: wire.PartRules): PartRules => ({
  ...same,
  maxTokens,
  halfSteps,
})

/** Of one stream: its events are numbered, so that one that is missing or comes twice is noticed. */
export function encoder(): Encoder<LookaheadEvent> {
  let id = 0
  return {
    event: (event) => encodeEvent(toWire(event), id++),
    error: ({ body }) => encodeEvent({ type: 'error', ...body }, id++),
  }
}

function toWire(event: LookaheadEvent): wire.DraftEvent | wire.VerifyEvent {
  switch (event.type) {
    case 'context': {
      const { type, promptTokens, outputTokens, channels } = event
      return { type, prompt_tokens: promptTokens, output_tokens: outputTokens, ...channels }
    }
    case 'delta':
      return { ...event, tokens: [...event.tokens] }
    case 'commit': {
      const { finish = null, tokens, reasoningTokens, ...same } = event
      return { ...same, tokens: [...tokens], reasoning_tokens: reasoningTokens, finish_reason: finish }
    }
    case 'cycle':
    case 'done':
      return done(event)
    default:
      return event
  }
}

function done({
  type,
  promptTokens,
  completionTokens,
  work,
  speculation,
}: CycleDone | Done): wire.DraftEvent | wire.VerifyEvent {
  const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens }
  const { totalMs, draftMs, targetMs, judgeMs, promptMs, forwards, waitMs, shareMs, load } = work
  const timings = {
    total_ms: totalMs,
    draft_ms: draftMs,
    target_ms: targetMs,
    judge_ms: judgeMs,
    prompt_ms: promptMs,
    forwards,
    ...(waitMs === undefined ? {} : { wait_ms: waitMs }),
    ...(shareMs === undefined ? {} : { share_ms: shareMs, load }),
  }
  if (!speculation) return { type: 'done', usage, timings }
  const { perPosition, meanLength, ...counts } = speculation
  return {
    type,
    usage,
    timings,
    speculation: { ...counts, accepted_per_position: perPosition, mean_length: meanLength },
  }
}
