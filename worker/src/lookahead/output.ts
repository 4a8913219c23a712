import { ChannelSplitter } from '@lookahead/sdk/protocol'
import type { ChannelDelta, RunEvent } from '@lookahead/sdk/protocol'
import { UpstreamError } from './upstream.ts'
import type { SavedRun } from './checkpoint.ts'
import type { Commit, Opened } from './upstream.ts'

/** What a run has written: its text, said as soon as it is certain, and how much is committed. */
export class Output {
  promptTokens = 0
  /** Tokens and steps committed. */
  tokens = 0
  steps = 0
  /** Tokens of thinking committed; undefined where the engine did not tell, as of text that a broken call left. */
  reasoningTokens: number | undefined = 0
  /** Where the prompt leaves off. */
  channels: Opened['channels'] | undefined
  #splitter: ChannelSplitter | undefined
  /** Said since `takeSaid`. */
  #said: { text: string; ids: number[] | undefined } = { text: '', ids: [] }

  /** @param begun what was written elsewhere already */
  constructor(begun?: SavedRun) {
    if (!begun) return
    const { checkpoint, said } = begun
    this.open(checkpoint)
    // It was told: only what of it is held back counts here.
    this.#splitter!.push(said.text)
    const { tokens, steps, reasoningTokens } = checkpoint
    Object.assign(this, { tokens, steps, reasoningTokens })
  }

  open({ promptTokens, channels }: Pick<Opened, 'promptTokens' | 'channels'>): void {
    this.promptTokens = promptTokens
    this.channels ??= channels
    this.#splitter ??= new ChannelSplitter(channels)
  }

  get isOpen(): boolean {
    return this.#splitter !== undefined
  }

  /**
   * @param ids of its tokens, where the engine tells them
   * @throws {UpstreamError} `bad_event`
   */
  *say(text: string, ids: readonly number[] | undefined): Generator<RunEvent, void, undefined> {
    if (!this.#splitter) throw new UpstreamError('bad_event', 'the backend sent text before its context')
    this.#said.text += text
    if (ids) this.#said.ids?.push(...ids)
    else this.#said.ids = undefined
    yield* deltas(this.#splitter.push(text))
  }

  /** What was said since this was asked last. @returns no ids, from the first text on whose tokens the engine did not tell */
  takeSaid(): { text: string; ids: readonly number[] | undefined } {
    const said = this.#said
    this.#said = { text: '', ids: said.ids && [] }
    return said
  }

  commit({ tokens, reasoningTokens, steps }: Pick<Commit, 'tokens' | 'reasoningTokens' | 'steps'>): void {
    Object.assign(this, this.after({ tokens, reasoningTokens, steps }))
  }

  /** How much would be committed. */
  after({ tokens, reasoningTokens, steps }: Pick<Commit, 'tokens' | 'reasoningTokens' | 'steps'>) {
    const isTold = this.reasoningTokens !== undefined && reasoningTokens !== undefined
    const sum = isTold ? this.reasoningTokens! + reasoningTokens : undefined
    return {
      tokens: this.tokens + tokens,
      steps: this.steps + steps,
      reasoningTokens: tokens === 0 ? this.reasoningTokens : sum,
    }
  }

  /** The text has ended: says what was held back. */
  *end(): Generator<RunEvent, void, undefined> {
    yield* deltas(this.#splitter?.flush() ?? [])
  }
}

function* deltas(said: ChannelDelta[]): Generator<RunEvent, void, undefined> {
  for (const { channel, text } of said) yield { type: 'text.delta', channel, text }
}
