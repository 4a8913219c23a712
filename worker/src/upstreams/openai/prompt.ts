/** The text that is to be gone on with, as one server knows it. */
import { channelsAfter } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Text } from '../../lookahead/upstream.ts'
import { lacks } from './known.ts'
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

/** @throws {UpstreamError} `no_template`, of an engine that does not render messages for others; the signal's reason */
export async function promptAt(
  server: Server,
  can: Capabilities,
  { messages, prompt }: Pick<Text, 'messages' | 'prompt'>,
  signal: AbortSignal,
): Promise<Prompt> {
  if (prompt !== undefined) return given(prompt, false, can.ids && (await tokenize(server, prompt, signal, true)))
  if (can.sample) {
    const ids = await rendered(server, messages, signal)
    // The whole of it: where ids come to be unknown, the text has to do.
    if (ids) return given(await detokenize(server, ids, signal), true, can.ids && ids)
  }
  const text = await templated(server, messages, signal)
  return given(text, true, can.ids && (await tokenize(server, text, signal, false)))
}

const given = (text: string, isRendered: boolean, ids: readonly number[] | false): Prompt => ({
  text,
  ids: ids || undefined,
  tokens: ids ? ids.length : 0,
  isRendered,
  channels: channelsAfter(text),
})

/** vLLM, SGLang and our own. */
async function rendered(
  server: Server,
  messages: Text['messages'],
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
async function templated(server: Server, messages: Text['messages'], signal: AbortSignal): Promise<string> {
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
