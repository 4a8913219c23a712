import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Engine } from '../../engine/engine.ts'
import type { Decoder } from '../../engine/decoder.ts'
import type { ChatMessage } from '../../tokenizer/index.ts'

/** A model that writes, by the name it is served under. */
export interface ServedModel {
  name: 'target' | 'draft'
  decoder: Decoder
}

/** @throws {ProtocolError} 404 `model_not_found` */
export function servedModel(engine: Engine, name: string): ServedModel {
  if (name === 'target') return { name, decoder: engine.target }
  if (name === 'draft' && engine.draft) return { name, decoder: engine.draft }
  const names = engine.draft ? '"target" or "draft"' : '"target"'
  throw new ProtocolError(404, 'model_not_found', `there is no model "${name}" to write with: use ${names}`, {
    param: 'model',
  })
}

export interface Chat {
  messages: ChatMessage[]
  add_generation_prompt: boolean
  chat_template_kwargs: Record<string, unknown>
}

/** A chat as the model's template renders it. @throws {ProtocolError} 400 when there is no template or it refuses */
export function renderChat({ decoder }: ServedModel, chat: Chat): string {
  try {
    return decoder.model.tokenizer.renderChat(chat.messages, {
      addGenerationPrompt: chat.add_generation_prompt,
      variables: chat.chat_template_kwargs,
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ProtocolError(400, 'invalid_request', `messages: ${reason}`, { param: 'messages', cause })
  }
}

/** @throws {ProtocolError} 400 when one of them is no token of the model; `param` names the field they came in */
export function assertTokens({ decoder }: ServedModel, tokens: Iterable<number>, param: string): void {
  const { vocabSize } = decoder.model.config
  for (const token of tokens)
    if (token >= vocabSize)
      throw new ProtocolError(400, 'invalid_request', `${param}: ${token} is not a token id of this model`, { param })
}

/**
 * How many tokens may be written after a prompt.
 * @param asked undefined asks for all there is room for
 * @throws {ProtocolError} 400 `context_length_exceeded`, 400 for an empty prompt
 */
export function outputRoom(
  { decoder }: ServedModel,
  prompt: readonly number[],
  asked: number | undefined,
  param: string,
): number {
  const limit = decoder.capacity
  const room = limit - prompt.length
  if (prompt.length === 0) throw new ProtocolError(400, 'invalid_request', `${param}: the prompt is empty`, { param })
  if (room < (asked ?? 1))
    throw new ProtocolError(
      400,
      'context_length_exceeded',
      `This model's maximum context length is ${limit} tokens. However, you requested ${prompt.length + (asked ?? 1)} ` +
        `tokens (${prompt.length} in the prompt, ${asked ?? 1} for the answer): shorten one of the two`,
      { param },
    )
  return asked ?? room
}
