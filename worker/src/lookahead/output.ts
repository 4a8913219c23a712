import { ChannelSplitter } from '@lookahead/sdk/protocol'
import type { ChannelDelta, RunEvent } from '@lookahead/sdk/protocol'
import { UpstreamError } from './upstream.ts'
import type { Commit, Opened } from './upstream.ts'

/** What a run has written: its text, said as soon as it is certain, and how much is committed. */
export class Output {
  promptTokens = 0
  /** Tokens and steps committed. */
  tokens = 0
  steps = 0
  /** Tokens of thinking committed; undefined where the engine does not tell. */
  reasoningTokens: number | undefined
  #channels: ChannelSplitter | undefined
  /** Text that was said since the last commit. */
  #said = ''

  open({ promptTokens, channels }: Opened): void {
    this.promptTokens = promptTokens
    this.#channels ??= new ChannelSplitter(channels)
  }

  /** @throws {UpstreamError} `bad_event` */
  *say(text: string): Generator<RunEvent, void, undefined> {
    if (!this.#channels) throw new UpstreamError('bad_event', 'the backend sent text before its context')
    this.#said += text
    yield* deltas(this.#channels.push(text))
  }

  /** Says the rest of what is committed. @throws {UpstreamError} `bad_event` */
  *commit({ text, tokens, reasoningTokens, accepted, correction }: Commit): Generator<RunEvent, void, undefined> {
    if (!text.startsWith(this.#said)) throw new UpstreamError('bad_event', 'the commit is not what the deltas said')
    yield* this.say(text.slice(this.#said.length))
    this.#said = ''
    this.tokens += tokens
    if (reasoningTokens !== undefined) this.reasoningTokens = (this.reasoningTokens ?? 0) + reasoningTokens
    this.steps += accepted + stepsIn(correction)
  }

  /** The text has ended: says what was held back. */
  *end(): Generator<RunEvent, void, undefined> {
    yield* deltas(this.#channels?.flush() ?? [])
  }
}

/** How many steps a text holds, the unfinished last one included. */
export const stepsIn = (text: string): number => text.split(/(?<=\n\n)/).filter((step) => step !== '').length

function* deltas(said: ChannelDelta[]): Generator<RunEvent, void, undefined> {
  for (const { channel, text } of said) yield { type: 'text.delta', channel, text }
}
