import { EngineError } from './errors.ts'
import type { ChannelState, VerifyRequest } from '@lookahead/sdk/protocol'
import { OutputText } from './text/output.ts'
import { Lengths } from './speculation/index.ts'
import type { DraftStep } from './text/step.ts'
import type { Tokenizer } from '../tokenizer/index.ts'

type Prompt = Pick<Context, 'channels' | 'question'> & { tokens: readonly number[] }

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
  /** For requests that bring none: draft and target must draw alike. */
  readonly seed = Math.floor(Math.random() * 2 ** 32)
  /** Steps drafted from here, by id; a commit makes them void. */
  readonly drafts = new Map<string, DraftStep>()
  /** What each kind of proposer has been worth here. */
  readonly lengths = new Lengths()
  /** Calls at work on it. */
  readonly active = new Set<string>()
  lastUsed = performance.now()
  #text: { stops: string; output: OutputText } | undefined

  constructor(id: string, prompt: Prompt, output: readonly number[]) {
    this.id = id
    this.tokens = [...prompt.tokens, ...output]
    this.promptLength = prompt.tokens.length
    this.channels = prompt.channels
    this.question = prompt.question
  }

  get outputLength(): number {
    return this.tokens.length - this.promptLength
  }

  /** The output's text; made anew by replaying the output when the stop strings change. */
  text(
    tokenizer: Tokenizer,
    { stop, stop_in_reasoning }: Pick<VerifyRequest, 'stop' | 'stop_in_reasoning'>,
  ): OutputText {
    const stops = JSON.stringify([stop, stop_in_reasoning])
    if (this.#text?.stops !== stops) {
      const output = new OutputText(tokenizer, stop, { answerAfter: stop_in_reasoning ? undefined : this.channels })
      for (const token of this.tokens.slice(this.promptLength)) output.push(token)
      this.#text = { stops, output }
    }
    return this.#text.output
  }
}

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

  put(context: Context): void {
    this.#contexts.set(context.id, context)
  }

  /** @throws {EngineError} `context_lost` when it is gone or holds another number of output tokens */
  get(id: string, outputLength: number): Context {
    const context = this.#contexts.get(id)
    if (!context || context.outputLength !== outputLength)
      throw new EngineError('context_lost', 'the backend no longer has this context: send the whole prefix once', {
        param: 'context.id',
      })
    return context
  }

  /** Marks a call on a context for as long as it works. @throws {EngineError} `context_busy` */
  enter(context: Context, call: string): () => void {
    if (context.active.has(call))
      throw new EngineError('context_busy', `a ${call} call is already at work on this context`)
    context.active.add(call)
    return () => {
      context.active.delete(call)
      context.lastUsed = performance.now()
    }
  }

  /** Forgets a context; calls at work on it go on. */
  drop(id: string): void {
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
