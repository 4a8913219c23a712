import { ProtocolError } from '@lookahead/sdk/protocol'
import { renderChat } from '../../engine/prompt.ts'
import type { ChatRequest } from './schemas.ts'
import type { ServedModel } from './served-model.ts'

/**
 * The messages of a request as the model's template renders them.
 * @throws {ProtocolError} 400 `context_length_exceeded` for messages that are certainly too long, unread by the template; as `renderChat`
 */
export function render(
  { decoder }: ServedModel,
  {
    messages,
    add_generation_prompt: addGenerationPrompt,
    enable_thinking,
    chat_template_kwargs,
  }: Pick<ChatRequest, 'messages' | 'add_generation_prompt' | 'enable_thinking' | 'chat_template_kwargs'>,
): string {
  const { capacity, model } = decoder
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
  if (characters > model.tokenizer.mostCharacters(capacity))
    throw new ProtocolError(
      400,
      'context_length_exceeded',
      `This model's maximum context length is ${capacity} tokens, and ${characters} characters are more: shorten the messages`,
      { param: 'messages' },
    )
  const variables = { ...(enable_thinking !== undefined && { enable_thinking }), ...chat_template_kwargs }
  return renderChat(decoder, messages, { addGenerationPrompt, variables }, 'messages')
}
