/** A text at the backend, which remembers it as a context: calls name it, and send it whole only where it is new or was lost. */
import type { Context, VerifyEvent } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../lookahead/upstream.ts'
import type * as domain from '../lookahead/upstream.ts'
import { Addresses, FIRST_ANSWER_MS } from './addresses.ts'
import type { Address } from './addresses.ts'
import { callForEvents } from './native-call.ts'
import type { EventSchema } from './native-call.ts'
import { persistently } from './native-retry.ts'

export interface NativeOptions {
  /** Where the backend listens; may have a path. Of several that have the same models each text is at one, until that is lost. */
  baseURL: string | readonly string[]
  token?: string | undefined
  /** Sent along as `x-request-id`. */
  requestId?: string | undefined
  /** Only texts of the same salt share what the backend has run of them. Default: all of this token. */
  cacheSalt?: string | undefined
  fetch?: typeof fetch | undefined
  /**
   * A backend that is away, silent, or too busy for so long has failed, however often it was tried. Milliseconds; default 60,000.
   * A text that has not begun waits a third of it, or three quarters where it is only busy; one whose call sends nothing but comments, five times as long.
   */
  timeoutMs?: number | undefined
  /** How long one may take to begin an answer where another one could be asked. Milliseconds; default 10,000. */
  patienceMs?: number | undefined
}

export type Settings = NativeOptions & { headers: Record<string, string> }

type ContextEvent = Extract<VerifyEvent, { type: 'context' }>
type Events<Event> = AsyncGenerator<Event, void, undefined>

/** How long giving up a context may take. */
const RELEASE_MS = 2_000

/** A backend that is of no use for now, and one that is well and full: that is left by texts it does not have yet. */
const AWAY: ReadonlySet<string> = new Set(['unreachable', 'stream_cut', 'idle', 'loading', 'draining', 'unauthorized'])
const FULL: ReadonlySet<string> = new Set(['overloaded', 'out_of_memory'])
const isAway = ({ code, status = 0 }: UpstreamError): boolean =>
  AWAY.has(code) || (status >= 500 && code.startsWith('http_'))

export class NativeContext {
  readonly #settings: Settings
  readonly #text: domain.TextRequest
  /** Token ids committed so far, and those that deltas said since: what a backend that lost the context needs. */
  readonly #output: number[]
  #said: number[] = []
  /** When the first call was made. */
  #opened = 0
  readonly #addresses: Addresses
  /** Whether a backend has ever let it in, and which has the context now. */
  #isBegun: boolean
  #knownAt: Address | undefined
  /** Ends all calls. */
  #calls = new AbortController()
  /** Ends those that are left behind at another backend. */
  #stay = new AbortController()
  /** Whether calls follow one another without waiting for what the last one committed. */
  isFollowed = false

  /** @param output of a text that was begun elsewhere, so far */
  constructor(settings: Settings, text: domain.TextRequest, output?: readonly number[]) {
    this.#settings = settings
    this.#text = text
    this.#output = [...(output ?? [])]
    this.#isBegun = output !== undefined
    const { baseURL, fetch = globalThis.fetch } = settings
    const urls = [baseURL].flat().map((url) => url.replace(/\/+$/, ''))
    this.#addresses = new Addresses(urls, (url, signal) => fetch(`${url}/health`, { signal }))
  }

  /** Aborts when `recover` ends the calls of now. */
  get signal(): AbortSignal {
    return this.#calls.signal
  }

  /** What a call says first: the backend has it. */
  open({ prompt_tokens: promptTokens, thinking, after_tag, partial_tag }: ContextEvent): domain.Opened {
    this.#isBegun = true
    this.#knownAt = this.#addresses.present
    this.#addresses.answered()
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

  /** Ends all calls; what was said counts as committed, and the next call sends the whole text. @returns whether to another backend */
  recover(failure: UpstreamError): boolean {
    this.#calls.abort()
    this.#calls = new AbortController()
    for (const id of this.#said) this.#output.push(id)
    this.#said = []
    this.#knownAt = undefined
    this.isFollowed = false
    return isAway(failure) && this.#addresses.leave(this.#addresses.present, failure.retryAfterMs)
  }

  async release(): Promise<void> {
    const { headers, fetch = globalThis.fetch } = this.#settings
    const init = { method: 'DELETE', headers, signal: AbortSignal.timeout(RELEASE_MS) }
    const response = await fetch(`${this.#addresses.present.url}/v1/contexts/${this.#text.id}`, init).catch(
      () => undefined,
    )
    await response?.body?.cancel().catch(() => undefined)
  }

  get #isKnown(): boolean {
    return this.#knownAt === this.#addresses.present
  }

  /** Whether a call goes on from the one before it, whose tokens may still be on their way here. */
  get #follows(): boolean {
    return this.#isKnown && this.isFollowed
  }

  /**
   * A call on the context, tried again where the backend is busy or away.
   * @param leads whether the text goes to another backend for it; else it goes wherever that is
   */
  call<Event extends { type: string }>(
    path: string,
    request: object,
    schema: EventSchema<Event>,
    signal: AbortSignal,
    leads = true,
  ): Events<Event | domain.Away> {
    const { timeoutMs = 60_000 } = this.#settings
    this.#opened ||= Date.now()
    const deadline = this.#isBegun ? Date.now() + timeoutMs : this.#opened + timeoutMs / 3
    const busyDeadline = this.#isBegun ? deadline : this.#opened + (timeoutMs * 3) / 4
    const either = AbortSignal.any([signal, this.#calls.signal])
    let asked = this.#addresses.present
    const limits = {
      deadline,
      busyDeadline,
      isHelper: path === '/v1/draft',
      follows: () => this.#follows,
      isAway: (error: UpstreamError) => isAway(error) && this.#addresses.hasOther,
      leave: (error: UpstreamError) => this.#leave(asked, error, leads),
      signal: either,
    }
    const open = (headersMs: number) => {
      asked = this.#addresses.present
      return counted(asked, this.#try(path, request, schema, either, headersMs))
    }
    return persistently(open, limits)
  }

  /** After a call that did nothing. @returns whether the text is at another backend by now, which does well */
  #leave(asked: Address, error: UpstreamError, leads: boolean): boolean {
    if (asked !== this.#addresses.present) return true
    const isFull = FULL.has(error.code) && !this.#isKnown
    if (!leads || !(isAway(error) || isFull)) return false
    const isBetter = this.#addresses.leave(asked, error.retryAfterMs)
    if (asked !== this.#addresses.present) {
      this.#stay.abort(new UpstreamError('left', 'the text is at another backend by now', { retryable: true }))
      this.#stay = new AbortController()
    }
    return isBetter
  }

  /** By name, or whole where the backend does not have the context. */
  async *#try<Event extends { type: string }>(
    path: string,
    request: object,
    schema: EventSchema<Event>,
    signal: AbortSignal,
    headersMs: number,
  ): Events<Event> {
    const {
      headers,
      cacheSalt: cache_salt,
      fetch,
      timeoutMs: idleMs = 60_000,
      patienceMs = FIRST_ANSWER_MS,
    } = this.#settings
    const { id, messages, prompt, steps } = this.#text
    const { present, hasOther } = this.#addresses
    const times = { headersMs: hasOther ? Math.min(patienceMs, headersMs) : headersMs, idleMs, progressMs: 5 * idleMs }
    const either = AbortSignal.any([signal, this.#stay.signal])
    const call = (context: Context) => {
      const body = JSON.stringify({ context, step_rules: steps, ...request })
      return callForEvents({ url: present.url + path, headers, body, fetch, ...times }, schema, either)
    }
    const whole = () => call({ id, messages, prompt, output: this.#output, cache_salt })
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

/** The same events, of a call that counts at an address as long as it goes on. */
async function* counted<Event>(address: Address, events: Events<Event>): Events<Event> {
  address.calls++
  try {
    yield* events
  } catch (error) {
    if (error instanceof UpstreamError) error.host = new URL(address.url).host
    throw error
  } finally {
    address.calls--
  }
}

/** A call that was cut, or came twice, may have written on unread. */
const elsewhere = (): UpstreamError =>
  new UpstreamError('context_lost', 'the backend has gone on with this text by itself', { retryable: true })
