import { UnsupportedFunctionalityError } from '@ai-sdk/provider'
import type { LanguageModelV4CallOptions, LanguageModelV4Message, SharedV4Warning } from '@ai-sdk/provider'
import type { RunRequestInput } from '../protocol/run-request.ts'
import type { Message } from '../protocol/sampling.ts'
import type { LookaheadSettings } from './settings.ts'

/** A call as a run; settings that a run does not know become warnings. @throws {UnsupportedFunctionalityError} for content that is no text */
export function toRequest(
  options: LanguageModelV4CallOptions,
  settings: LookaheadSettings,
): { request: RunRequestInput; warnings: SharedV4Warning[] } {
  const { prompt, maxOutputTokens, temperature, topP, topK, seed, stopSequences, providerOptions } = options
  const sampling = { temperature, top_p: topP, top_k: topK, seed }
  const request: RunRequestInput = {
    messages: prompt.map(toMessage),
    sampling: Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== undefined)),
    ...(maxOutputTokens !== undefined && { max_tokens: maxOutputTokens }),
    ...(stopSequences && { stop: stopSequences }),
    lookahead: { ...settings, ...(providerOptions?.['lookahead'] as LookaheadSettings | undefined) },
  }
  return { request, warnings: unsupported(options).map((feature) => ({ type: 'unsupported', feature })) }
}

function unsupported({
  presencePenalty,
  frequencyPenalty,
  responseFormat,
  tools,
  toolChoice,
  reasoning = 'provider-default',
}: LanguageModelV4CallOptions): string[] {
  const given = {
    presencePenalty: Boolean(presencePenalty),
    frequencyPenalty: Boolean(frequencyPenalty),
    responseFormat: responseFormat?.type === 'json',
    tools: toolChoice?.type !== 'none' && Boolean(tools?.length),
    reasoning: reasoning !== 'provider-default',
  }
  return Object.entries(given).flatMap(([feature, isGiven]) => (isGiven ? [feature] : []))
}

/** What was thought in an earlier turn, and the steps it took, are not sent again. */
function toMessage({ role, content }: LanguageModelV4Message): Message {
  if (role === 'system') return { role, content }
  if (role === 'tool') throw new UnsupportedFunctionalityError({ functionality: 'tool messages' })
  const texts = content.flatMap((part) => {
    if (part.type === 'text') return [part.text]
    if (part.type === 'reasoning' || part.type === 'custom') return []
    throw new UnsupportedFunctionalityError({ functionality: `content of type "${part.type}"` })
  })
  return { role, content: texts.join('') }
}
