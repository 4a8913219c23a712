import { addedChannels } from '../text/prompt.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizer/index.ts'

/**
 * A conversation as the model was taught to read one, up to where its answer begins: without thinking, which is left out where
 * the template knows how to, or ended where it opens it.
 */
export function nonThinkingPrompt(tokenizer: Tokenizer, messages: readonly ChatMessage[]): string {
  const variables = { enable_thinking: false }
  const prompt = tokenizer.renderChat(messages, { addGenerationPrompt: true, variables })
  const { thinking } = addedChannels(tokenizer.renderChat(messages, { variables }), prompt)
  return thinking ? `${prompt.trimEnd()}\n</think>\n\n` : prompt
}
