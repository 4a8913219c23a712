import { ProtocolError } from '@lookahead/sdk/protocol'
import { OutputText } from './output.ts'
import { Sequence } from './sequence.ts'
import type { Decoder } from './sequence.ts'
import type { DraftStep } from './step.ts'
import type { Tokenizer } from '../tokenizer/index.ts'

/** One text so far, as the models hold it. */
export class Context {
  readonly id: string
  /** Prompt and output token ids. */
  readonly tokens: number[]
  readonly promptLength: number
  /** Whether generation starts inside `<think>`. */
  readonly thinking: boolean
  readonly target: Sequence
  readonly draft: Sequence | undefined
  /** For requests that bring none: draft and target must draw alike. */
  readonly seed = Math.floor(Math.random() * 2 ** 32)
  /** Steps drafted from here, by id; a commit makes them void. */
  readonly drafts = new Map<string, DraftStep>()
  /** Calls at work on it. */
  readonly active = new Set<string>()
  lastUsed = performance.now()
  #text: OutputText | undefined

  constructor(
    id: string,
    prompt: { tokens: readonly number[]; thinking: boolean },
    output: readonly number[],
    decoders: { target: Decoder; draft: Decoder | undefined },
  ) {
    this.id = id
    this.tokens = [...prompt.tokens, ...output]
    this.promptLength = prompt.tokens.length
    this.thinking = prompt.thinking
    this.target = new Sequence(decoders.target)
    this.draft = decoders.draft && new Sequence(decoders.draft)
  }

  get outputLength(): number {
    return this.tokens.length - this.promptLength
  }

  /** The output's text; made anew by replaying the output when the stop strings change. */
  text(tokenizer: Tokenizer, stops: readonly string[]): OutputText {
    if (!this.#text || this.#text.stops.join('\0') !== stops.join('\0')) {
      this.#text = new OutputText(tokenizer, stops)
      for (const token of this.tokens.slice(this.promptLength)) this.#text.push(token)
    }
    return this.#text
  }

  release(): void {
    this.target.truncate(0)
    this.draft?.truncate(0)
  }
}

/** Contexts by id, least recently used first. A context without calls is idle and may be dropped at any time. */
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
    this.drop(context.id)
    this.#contexts.set(context.id, context)
  }

  /** @throws {ProtocolError} 409 `context_lost` when it is gone or holds another number of output tokens */
  get(id: string, outputLength: number): Context {
    const context = this.#contexts.get(id)
    if (!context || context.outputLength !== outputLength)
      throw new ProtocolError(
        409,
        'context_lost',
        'the backend no longer has this context: send the whole prefix once',
        {
          param: 'context.id',
        },
      )
    return context
  }

  /** Marks a call on a context for as long as it works. @throws {ProtocolError} 409 `context_busy` */
  enter(context: Context, call: string): () => void {
    if (context.active.has(call))
      throw new ProtocolError(409, 'context_busy', `a ${call} call is already at work on this context`)
    context.active.add(call)
    return () => {
      context.active.delete(call)
      context.lastUsed = performance.now()
      if (this.#contexts.get(context.id) !== context) return context.active.size === 0 ? context.release() : undefined
      this.#contexts.delete(context.id)
      this.#contexts.set(context.id, context)
    }
  }

  /** Forgets a context; its slots are free once no call works on it. */
  drop(id: string): void {
    const context = this.#contexts.get(id)
    if (!context) return
    this.#contexts.delete(id)
    if (context.active.size === 0) context.release()
  }

  /** Drops the least recently used idle context. @returns whether there was one */
  dropOldest(): boolean {
    for (const [id, context] of this.#contexts)
      if (context.active.size === 0) {
        this.drop(id)
        return true
      }
    return false
  }

  dropExpired(now = performance.now()): void {
    for (const [id, context] of this.#contexts)
      if (context.active.size === 0 && now - context.lastUsed > this.#idleMs) this.drop(id)
  }
}
