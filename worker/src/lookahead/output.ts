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
  /** Tokens of thinking committed; undefined where the engine did not tell, as of text that a broken call left. */
  reasoningTokens: number | undefined = 0
  #channels: ChannelSplitter | undefined

  open({ promptTokens, channels }: Opened): void {
    this.promptTokens = promptTokens
    this.#channels ??= new ChannelSplitter(channels)
  }

  get isOpen(): boolean {
    return this.#channels !== undefined
  }

  /** @throws {UpstreamError} `bad_event` */
  *say(text: string): Generator<RunEvent, void, undefined> {
    if (!this.#channels) throw new UpstreamError('bad_event', 'the backend sent text before its context')
    yield* deltas(this.#channels.push(text))
  }

  commit({ tokens, reasoningTokens, steps }: Pick<Commit, 'tokens' | 'reasoningTokens' | 'steps'>): void {
    this.tokens += tokens
    this.steps += steps
    if (tokens === 0) return
    const isTold = this.reasoningTokens !== undefined && reasoningTokens !== undefined
    this.reasoningTokens = isTold ? this.reasoningTokens! + reasoningTokens : undefined
  }

  /** The text has ended: says what was held back. */
  *end(): Generator<RunEvent, void, undefined> {
    yield* deltas(this.#channels?.flush() ?? [])
  }
}

function* deltas(said: ChannelDelta[]): Generator<RunEvent, void, undefined> {
  for (const { channel, text } of said) yield { type: 'text.delta', channel, text }
}
