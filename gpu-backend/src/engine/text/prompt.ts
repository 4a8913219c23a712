/** From what a request brings to the tokens that a model reads. */
import { channelsAfter } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import type { ChatMessage, EncodeOptions, RenderOptions } from '../../tokenizer/index.ts'
import { EngineError } from '../errors.ts'
import type { ModelRunner } from '../model-runner.ts'

/**
 * A conversation as the model's template renders it, to be encoded as `fenced`.
 * @throws {EngineError} when there is no template or it refuses; `context_length_exceeded` for messages that certainly
 * are too long, unread by the template
 */
export function renderChat(
  runner: ModelRunner,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  param: string,
): string {
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
  assertCharacters(runner, characters, param)
  try {
    return runner.model.tokenizer.renderChat(messages, options)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('invalid_request', `${param}: ${reason}`, { param, cause })
  }
}

/**
 * Where a rendered conversation leaves off among the channels. What the template puts before the answer decides, which is
 * what it leaves out when it is not asked to: in a message, a tag is only text.
 */
export function chatChannels(
  runner: ModelRunner,
  rendered: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  param: string,
): ChannelState {
  const conversation = renderChat(runner, messages, { ...options, addGenerationPrompt: false }, param)
  return addedChannels(conversation, rendered)
}

/** The same, of a conversation as it is rendered without the beginning of an answer. */
export function addedChannels(conversation: string, rendered: string): ChannelState {
  let same = 0
  while (same < rendered.length && rendered[same] === conversation[same]) same++
  // Both may go on with `<`, one with `<think>` and one with `<|im_end|>`: what they share ends amid the tag, which is added whole.
  const { partial_tag } = channelsAfter(rendered.slice(0, same))
  return channelsAfter(partial_tag + rendered.slice(same))
}

/**
 * The tokens of a prompt.
 * @throws {EngineError} `context_length_exceeded` for a text so long that it cannot have few enough; the signal's reason
 */
export async function encode(
  runner: ModelRunner,
  text: string,
  param: string,
  { signal, ...options }: Pick<EncodeOptions, 'special' | 'fenced'> & { signal?: AbortSignal | undefined } = {},
): Promise<number[]> {
  assertCharacters(runner, text.length, param)
  return runner.model.tokenizer.encodeAsync(text, options, signal)
}

function assertCharacters({ model, capacity }: ModelRunner, characters: number, param: string): void {
  if (characters <= model.tokenizer.mostCharacters(capacity)) return
  throw new EngineError(
    'context_length_exceeded',
    `This model's maximum context length is ${capacity} tokens, and ${characters} characters are more: shorten the text`,
    { param },
  )
}

/** @throws {EngineError} when one of them is no token of the model */
export function assertTokens({ model }: ModelRunner, tokens: Iterable<number>, param: string): void {
  const { vocabSize } = model.config
  for (const token of tokens)
    if (token >= vocabSize)
      throw new EngineError('invalid_request', `${param}: ${token} is not a token id of this model`, { param })
}

/**
 * How many tokens may be written after a prompt of `length` tokens.
 * @param asked undefined asks for all there is room for, at least one
 * @throws {EngineError} `context_length_exceeded`; for an empty prompt
 */
export function outputRoom(
  { capacity }: ModelRunner,
  length: number,
  asked: number | undefined,
  param: string,
): number {
  const room = capacity - length
  if (length === 0) throw new EngineError('invalid_request', `${param}: the prompt is empty`, { param })
  if (room < (asked ?? 1))
    throw new EngineError(
      'context_length_exceeded',
      `This model's maximum context length is ${capacity} tokens. However, you requested ${length + (asked ?? 1)} ` +
        `tokens (${length} in the prompt, ${asked ?? 1} for the answer): shorten one of the two`,
      { param },
    )
  return asked ?? room
}
