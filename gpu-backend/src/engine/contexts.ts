import { addAbortListener } from 'node:events'
import { EngineError } from './errors.ts'
import { channelsThrough } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import type { VerifyRequest } from './decode/requests.ts'
import { OutputText } from './text/output.ts'
import { ReasoningTokens } from './text/reasoning-tokens.ts'
import { Lengths } from './speculation/index.ts'
import { Drafts } from './drafts.ts'
import { StreamingDecoder } from '../tokenizer/index.ts'
import type { ChatMessage, Tokenizer } from '../tokenizer/index.ts'

type Prompt = Pick<Context, 'channels' | 'question' | 'salt'> & { tokens: readonly number[] }

/** A text by its name. With `messages` or a `prompt` it is made; else it must be here. */
export interface ContextRef {
  id: string
  messages?: readonly ChatMessage[] | undefined
  prompt?: string | undefined
  /** Token ids that come after what it is made of. Default: none. */
  output?: readonly number[] | undefined
  /** Output tokens that it must have. */
  length?: number | undefined
  /** It is gone on with where the call at work on it ends. */
  continues?: true | undefined
}

/** One text so far. It holds no slots: what the models have run of it stands in their prefix caches. */
export class Context {
  readonly id: string
  /** Prompt and output token ids. */
  readonly tokens: number[]
  readonly promptLength: number
  /** Where the prompt leaves off among the channels. */
  readonly channels: ChannelState
  /** The last message of the user, or the prompt. */
  readonly question: string
  /** Only texts of the same salt share what was run of it. */
  readonly salt: string
  /** For requests that bring none: draft and target must draw alike. */
  readonly seed = Math.floor(Math.random() * 2 ** 32)
  readonly drafts = new Drafts()
  /** What each kind of proposer has been worth here. */
  readonly lengths = new Lengths()
  /** Calls at work on it, each with what settles when it ends. */
  readonly active = new Map<string, Promise<void>>()
  /** Kinds of calls (draft, verify) for which a successor waits: the one at work ends after its present cycle. */
  readonly awaited = new Set<string>()
  lastUsed = performance.now()
  #text: { stops: string; output: OutputText } | undefined
  #reasoning: ReasoningTokens | undefined
  #channelState: { read: number; decoder: StreamingDecoder; channels: ChannelState } | undefined

  constructor(id: string, prompt: Prompt, output: readonly number[]) {
    this.id = id
    this.tokens = [...prompt.tokens, ...output]
    this.promptLength = prompt.tokens.length
    this.channels = prompt.channels
    this.question = prompt.question
    this.salt = prompt.salt
  }

  get outputLength(): number {
    return this.tokens.length - this.promptLength
  }

  /** Takes over what was committed. @returns how many of these tokens are thinking */
  commit(tokenizer: Tokenizer, tokens: readonly number[]): number {
    if (!this.#reasoning) {
      this.#reasoning = new ReasoningTokens(tokenizer, this.channels)
      this.#reasoning.push(this.tokens.slice(this.promptLength))
    }
    this.tokens.push(...tokens)
    return this.#reasoning.push(tokens)
  }

  /** The output's text; made anew by replaying the output when the stop strings change. */
  text(tokenizer: Tokenizer, { stop, stopInReasoning }: Pick<VerifyRequest, 'stop' | 'stopInReasoning'>): OutputText {
    const stops = JSON.stringify([stop, stopInReasoning])
    if (this.#text?.stops !== stops) {
      const output = new OutputText(tokenizer, stop, { answerAfter: stopInReasoning ? undefined : this.channels })
      for (const token of this.tokens.slice(this.promptLength)) output.push(token)
      this.#text = { stops, output }
    }
    return this.#text.output
  }

  /** Where what is committed leaves off among the channels. */
  channelState(tokenizer: Tokenizer): ChannelState {
    const { promptLength, channels, tokens } = this
    const known = (this.#channelState ??= { read: promptLength, decoder: new StreamingDecoder(tokenizer), channels })
    known.channels = channelsThrough(known.channels, known.decoder.pushAll(tokens.slice(known.read)))
    known.read = tokens.length
    return known.channels
  }
}

const lost = (): EngineError =>
  new EngineError('context_lost', 'the backend no longer has this context: send the whole prefix once', {
    param: 'context.id',
  })

const isEqual = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((token, i) => token === b[i])

/** Contexts by id. A context without calls is idle, and dropped after a while. */
export class ContextStore {
  readonly #contexts = new Map<string, Context>()
  readonly #idleMs: number

  /** @param idleMs an idle context is dropped after this many milliseconds */
  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  get size(): number {
    return this.#contexts.size
  }

  /** Calls under way. */
  get running(): number {
    return [...this.#contexts.values()].reduce((n, context) => n + context.active.size, 0)
  }

  /** Texts with calls under way. */
  get atWork(): number {
    return [...this.#contexts.values()].filter((context) => context.active.size > 0).length
  }

  /** Enters a context, in place of another of the same id. */
  put(context: Context): void {
    const known = this.#contexts.get(context.id)
    if (known) this.giveUp(known)
    this.#contexts.set(context.id, context)
  }

  /** Enters a context that two calls bring, one to draft and one to verify. @returns it, or the one that the other call brought */
  join(context: Context, call: string): Context {
    const known = this.#contexts.get(context.id)
    if (known && !known.active.has(call) && isEqual(known.tokens, context.tokens)) return known
    this.put(context)
    return context
  }

  /** The context of this id, if it is here. */
  find(id: string): Context | undefined {
    return this.#contexts.get(id)
  }

  /** @throws {EngineError} `context_lost` when it is gone or holds another number of output tokens */
  get(id: string, outputLength?: number): Context {
    const context = this.#contexts.get(id)
    if (!context || (outputLength !== undefined && context.outputLength !== outputLength)) throw lost()
    return context
  }

  /**
   * Waits for the end of a call on a context that another goes on from: it ends after its present cycle.
   * @throws {EngineError} `context_lost` when the text has ended with it; the signal's reason
   */
  async await(context: Context, call: string, signal: AbortSignal): Promise<void> {
    const ended = context.active.get(call)
    if (ended) {
      context.awaited.add(call)
      using _ = addAbortListener(signal, () => void context.awaited.delete(call))
      await ended
      signal.throwIfAborted()
      context.awaited.delete(call)
    }
    this.require(context)
  }

  /** @throws {EngineError} `context_lost` when it was given up, or another has taken its place */
  require(context: Context): void {
    if (this.#contexts.get(context.id) !== context) throw lost()
  }

  /** Marks a call on a context for as long as it works. @throws {EngineError} `context_busy` */
  enter(context: Context, call: string): () => void {
    if (context.active.has(call))
      throw new EngineError('context_busy', `a ${call} call is already at work on this context`)
    const ended = Promise.withResolvers<void>()
    context.active.set(call, ended.promise)
    return () => {
      context.active.delete(call)
      ended.resolve()
      context.lastUsed = performance.now()
    }
  }

  /** Forgets a context; calls at work on it go on. */
  drop(id: string): void {
    this.#contexts.get(id)?.drafts.end()
    this.#contexts.delete(id)
  }

  /** Forgets this context, but not another that has taken its place since. */
  giveUp(context: Context): void {
    if (this.#contexts.get(context.id) === context) this.drop(context.id)
  }

  dropExpired(now = performance.now()): void {
    for (const [id, context] of this.#contexts)
      if (context.active.size === 0 && now - context.lastUsed > this.#idleMs) this.drop(id)
  }
}
