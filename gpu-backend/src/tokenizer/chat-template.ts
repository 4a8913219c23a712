import { ModelError, readTextIfAny } from '../checkpoint/index.ts'
import { Template } from './jinja/index.ts'

/** A field that is undefined is not there for the template, as if it had not been sent. */
export interface ChatMessage {
  role: string
  content: string
  /** Thinking that went before the answer, for templates that render it. */
  reasoning_content?: string | undefined
}

export interface RenderOptions {
  /** Ends the text where the assistant's answer begins. Defaults to false. */
  addGenerationPrompt?: boolean
  /** Further variables of the template, such as `enable_thinking`. */
  variables?: Record<string, unknown>
}

/** `tokenizer_config.json` has the template itself, or several under names. */
export type StoredTemplate = string | readonly { name: string; template: string }[] | null | undefined

/** The folder's chat template: `chat_template.jinja`, or the one in the tokenizer's configuration; undefined if none. */
export async function readChatTemplate(folder: string, stored: StoredTemplate): Promise<Template | undefined> {
  const own = await readTextIfAny(folder, 'chat_template.jinja')
  const named = typeof stored === 'string' ? stored : stored?.find(({ name }) => name === 'default')?.template
  const text = own ?? named
  if (text === undefined) return undefined
  try {
    return new Template(text)
  } catch (cause) {
    const reason = (cause as Error).message
    throw new ModelError('invalid', `the chat template of ${folder} cannot be parsed: ${reason}`, { cause })
  }
}
