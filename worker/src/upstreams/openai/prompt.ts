/** The text that is to be gone on with, as one server knows it. */
import { channelsAfter, tagsIn } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { TextRequest } from '../../lookahead/upstream.ts'
import { lacks } from './capabilities.ts'
import type { Passage } from './passage.ts'
import { detokenize, tokenize } from './probe.ts'
import type { Capabilities } from './probe.ts'
import type { Server } from './server.ts'
import { Templated, Tokenized } from './wire.ts'

export interface Prompt extends Passage {
  /** By the model's own chat template. */
  isRendered: boolean
  /** Where it leaves off. */
  channels: ChannelState
}

type Messages = NonNullable<TextRequest['messages']>

/** @throws {UpstreamError} `no_template`, of an engine that does not render messages for others; the signal's reason */
export async function promptAt(
  server: Server,
  can: Capabilities,
  { messages = [], prompt }: Pick<TextRequest, 'messages' | 'prompt'>,
  signal: AbortSignal,
): Promise<Prompt> {
  const isRendered = prompt === undefined
  const { text, ids: told } = isRendered
    ? await renderedAt(server, can, messages, signal)
    : { text: prompt, ids: undefined }
  const ids = can.ids ? (told ?? (await tokenize(server, text, signal, !isRendered))) : undefined
  const end = isRendered && isTagged(messages) ? await endOfTemplate(server, can, messages, text, signal) : text
  return { text, ids, tokens: ids ? ids.length : 0, isRendered, channels: channelsAfter(end) }
}

/** Messages as the model's own template has them; with ids where the server renders them to ids. @throws as `promptAt` */
export async function renderedAt(
  server: Server,
  can: Capabilities,
  messages: Messages,
  signal: AbortSignal,
): Promise<{ text: string; ids: readonly number[] | undefined }> {
  const ids = can.sample && (await tokenized(server, messages, signal))
  // The whole of it: where ids come to be unknown, the text has to do.
  const text = ids ? await detokenize(server, ids, signal) : await templated(server, messages, signal)
  return { text, ids }
}

const isTagged = (messages: Messages): boolean => messages.some(({ content }) => tagsIn(content).length > 0)

/**
 * What the template puts after the last message, whatever that says: in a message a tag is only text. Not every engine leaves it
 * out when asked to, so the messages are rendered once more, with another ending.
 */
async function endOfTemplate(
  server: Server,
  can: Capabilities,
  messages: Messages,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const last = messages.at(-1)!
  const content = last.content.trimEnd().endsWith('.') ? 'Hello!' : 'Hello.'
  const { text: other } = await renderedAt(server, can, [...messages.slice(0, -1), { ...last, content }], signal)
  let length = 0
  while (length < other.length && text.at(-1 - length) === other.at(-1 - length)) length++
  return text.slice(text.length - length)
}

/** vLLM, SGLang and our own. */
async function tokenized(
  server: Server,
  messages: Messages,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  try {
    const { tokens } = await server.ask('root:/tokenize', { messages, add_generation_prompt: true }, Tokenized, signal)
    // llama-server tokenizes the text that it is not given.
    return tokens.length > 0 ? tokens : undefined
  } catch (error) {
    signal.throwIfAborted()
    if (isOther(error)) return undefined
    throw error
  }
}

/** llama-server. */
async function templated(server: Server, messages: Messages, signal: AbortSignal): Promise<string> {
  try {
    return (await server.ask('root:/apply-template', { messages }, Templated, signal)).prompt
  } catch (error) {
    signal.throwIfAborted()
    if (!isOther(error)) throw error
    lacks(server, 'chat_messages')
    throw new UpstreamError(
      'no_template',
      `the ${server.role} does not render chat messages for others (POST /tokenize or /apply-template): ask with a prompt`,
      { cause: error },
    )
  }
}

/** Whether it was said by a server that has no such endpoint, or another one by that name. */
const isOther = (error: unknown): boolean =>
  error instanceof UpstreamError &&
  (error.code === 'bad_answer' || [400, 404, 405, 422, 501].includes(error.status ?? 0))
