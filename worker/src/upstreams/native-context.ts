/** A text at the backend, which remembers it as a context: calls name it, and send it whole only where it is new or was lost. */
import type { Context, VerifyEvent } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../lookahead/upstream.ts'
import type * as domain from '../lookahead/upstream.ts'
import { callForEvents } from './native-call.ts'
import type { EventSchema } from './native-call.ts'
import { persistently } from './native-retry.ts'

export interface NativeOptions {
  /** Where the backend listens; may have a path. */
  baseURL: string
  token?: string | undefined
  /** Sent along as `x-request-id`. */
  requestId?: string | undefined
  fetch?: typeof fetch | undefined
  /**
   * A backend that is away, silent, or too busy for so long has failed, however often it was tried. Milliseconds; default 60,000.
   * A text that has not begun waits a third of it, or three quarters where it is only busy; one whose call sends nothing but comments, five times as long.
   */
  timeoutMs?: number | undefined
}

export type Settings = NativeOptions & { base: string; headers: Record<string, string> }

type ContextEvent = Extract<VerifyEvent, { type: 'context' }>
type Events<Event> = AsyncGenerator<Event, void, undefined>

/** How long giving up a context may take. */
const RELEASE_MS = 2_000

export class NativeContext {
  readonly #settings: Settings
  readonly #text: domain.Text
  /** Token ids committed so far, and those that deltas said since: what a backend that lost the context needs. */
  readonly #output: number[] = []
  #said: number[] = []
  /** When the first call was made. */
  #opened = 0
  /** Whether the backend has ever let it in, and whether it has the context now. */
  #isBegun = false
  #isKnown = false
  /** Ends all calls. */
  #calls = new AbortController()
  /** Whether calls follow one another without waiting for what the last one committed. */
  isFollowed = false

  constructor(settings: Settings, text: domain.Text) {
    this.#settings = settings
    this.#text = text
  }

  /** Aborts when `recover` ends the calls of now. */
  get signal(): AbortSignal {
    return this.#calls.signal
  }

  /** What a call says first: the backend has it. */
  open({ prompt_tokens: promptTokens, thinking, after_tag, partial_tag }: ContextEvent): domain.Opened {
    this.#isKnown = this.#isBegun = true
    return { type: 'opened', promptTokens, channels: { thinking, after_tag, partial_tag } }
  }

  /** Of a call that goes on from another, once that is read. @throws {UpstreamError} `context_lost` where the backend has gone on without it */
  goesOnAt({ output_tokens }: ContextEvent): void {
    if (output_tokens !== this.#output.length) throw elsewhere()
  }

  /** Tokens that can no more change. */
  say(ids: readonly number[]): void {
    for (const id of ids) this.#said.push(id)
  }

  /** @throws {UpstreamError} `bad_event` where they are not those that were said */
  commit(ids: readonly number[]): void {
    if (this.#said.some((id, i) => id !== ids[i]))
      throw new UpstreamError('bad_event', 'the backend committed other tokens than it said')
    this.#said = []
    for (const id of ids) this.#output.push(id)
  }

  /** Ends all calls; what was said counts as committed, and the next call sends the whole text. */
  recover(): void {
    this.#calls.abort()
    this.#calls = new AbortController()
    for (const id of this.#said) this.#output.push(id)
    this.#said = []
    this.#isKnown = this.isFollowed = false
  }

  async release(): Promise<void> {
    const { base, headers, fetch = globalThis.fetch } = this.#settings
    const init = { method: 'DELETE', headers, signal: AbortSignal.timeout(RELEASE_MS) }
    const response = await fetch(`${base}/v1/contexts/${this.#text.id}`, init).catch(() => undefined)
    await response?.body?.cancel().catch(() => undefined)
  }

  /** Whether a call goes on from the one before it, whose tokens may still be on their way here. */
  get #follows(): boolean {
    return this.#isKnown && this.isFollowed
  }

  /** A call on the context, tried again where the backend is busy or away. */
  call<Event extends { type: string }>(
    path: string,
    request: object,
    schema: EventSchema<Event>,
    signal: AbortSignal,
  ): Events<Event | domain.Away> {
    const { timeoutMs = 60_000 } = this.#settings
    this.#opened ||= Date.now()
    const deadline = this.#isBegun ? Date.now() + timeoutMs : this.#opened + timeoutMs / 3
    const busyDeadline = this.#isBegun ? deadline : this.#opened + (timeoutMs * 3) / 4
    const either = AbortSignal.any([signal, this.#calls.signal])
    const limits = {
      deadline,
      busyDeadline,
      isHelper: path === '/v1/draft',
      follows: () => this.#follows,
      signal: either,
    }
    return persistently((headersMs) => this.#try(path, request, schema, either, headersMs), limits)
  }

  /** By name, or whole where the backend does not have the context. */
  async *#try<Event extends { type: string }>(
    path: string,
    request: object,
    schema: EventSchema<Event>,
    signal: AbortSignal,
    headersMs: number,
  ): Events<Event> {
    const { base, headers, fetch, timeoutMs: idleMs = 60_000 } = this.#settings
    const { id, messages, prompt, steps } = this.#text
    const times = { headersMs, idleMs, progressMs: 5 * idleMs }
    const call = (context: Context) => {
      const body = JSON.stringify({ context, step_rules: steps, ...request })
      return callForEvents({ url: base + path, headers, body, fetch, ...times }, schema, signal)
    }
    const whole = () => call({ id, messages, prompt, output: this.#output })
    try {
      if (!this.#isKnown) yield* whole()
      else yield* call(this.#follows ? { id, continues: true } : { id, length: this.#output.length })
    } catch (error) {
      // Only who reads what a call follows can send it whole.
      const mayBeSent = this.#isKnown && !this.#follows
      // With a status, so before any event: text that is out must not come again.
      const isLost = error instanceof UpstreamError && error.status === 409 && error.code === 'context_lost'
      if (!(mayBeSent && isLost)) throw error
      yield* whole()
    }
  }
}

/** A call that was cut, or came twice, may have written on unread. */
const elsewhere = (): UpstreamError =>
  new UpstreamError('context_lost', 'the backend has gone on with this text by itself', { retryable: true })
