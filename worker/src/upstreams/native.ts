/** Our GPU backend as an engine: `/v1/draft` and `/v1/verify`, each one POST that is answered by server-sent events. */
import { DraftEvent, VerifyEvent, leavable, sleep } from '@lookahead/sdk/protocol'
import type { Context, DraftRequestInput, VerifyRequestInput } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../lookahead/upstream.ts'
import type * as domain from '../lookahead/upstream.ts'
import { callForEvents } from './native-call.ts'
import type { EventSchema } from './native-call.ts'
import { persistently } from './native-retry.ts'
import { named, stepOf, verdict, work } from './native-wire.ts'

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

/** How long calls may take to end after their text has. */
const ENDING_MS = 100
/** How long giving up a context may take. */
const RELEASE_MS = 2_000

export function nativeUpstream(options: NativeOptions): domain.Upstream {
  const { baseURL, token, requestId } = options
  const base = baseURL.replace(/\/+$/, '')
  const headers = {
    'content-type': 'application/json',
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(requestId ? { 'x-request-id': requestId } : {}),
  }
  return { open: (text) => new NativeSession({ ...options, base, headers }, text) }
}

type ContextEvent = Extract<VerifyEvent, { type: 'context' }>

/** How often a draft call that goes on may break off. */
const DRAFT_TRIES = 3

/** Whether the draft call that goes on has failed, and whether that was told. */
interface DraftAhead {
  /** Never rejects. */
  ended: Promise<void>
  failed: { error: unknown; told: boolean } | undefined
}

type Settings = NativeOptions & { base: string; headers: Record<string, string> }
type Events<Event> = AsyncGenerator<Event, void, undefined>

/** The backend remembers texts, as contexts: calls name one, and send it whole only where it is new or was lost. */
class NativeSession implements domain.Session {
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
  #isFollowed = false
  #draft: DraftAhead | undefined

  constructor(settings: Settings, text: domain.Text) {
    this.#settings = settings
    this.#text = text
  }

  draft({ depth, width }: domain.Ahead, signal: AbortSignal): AsyncIterable<domain.DraftEvent> {
    const { sampling } = this.#text
    const request: Omit<DraftRequestInput, 'context'> = { depth, width, sampling }
    return leavableCall(signal, (either) => this.#drafts(request, either))
  }

  async *#drafts(request: Omit<DraftRequestInput, 'context'>, signal: AbortSignal): Events<domain.DraftEvent> {
    for await (const event of this.#call('/v1/draft', request, DraftEvent, signal)) {
      if (event.type === 'away') yield event
      if (event.type === 'context') yield this.#open(event)
      if (event.type === 'step') yield stepOf(event)
      if (event.type === 'done') yield { type: 'done', work: { draftMs: event.timings.draft_ms } }
    }
  }

  verify(
    steps: AsyncIterable<domain.DraftedStep>,
    task: domain.Verification,
    signal: AbortSignal,
  ): AsyncIterable<domain.VerifyEvent> {
    return leavableCall(signal, (either) => this.#verify(steps, task, either))
  }

  async *#verify(
    steps: AsyncIterable<domain.DraftedStep>,
    { verifier, threshold, decode, tokens, maxTokens }: domain.Verification,
    signal: AbortSignal,
  ): Events<domain.VerifyEvent> {
    // The request has all of them in it.
    const all: domain.DraftedStep[] = []
    for await (const step of steps) all.push(step)
    const { stop, stopInReasoning, sampling, coupled } = this.#text
    const request: Omit<VerifyRequestInput, 'context'> = {
      steps: named(all),
      verifier,
      threshold,
      speculation: tokens,
      coupled,
      decode,
      max_tokens: maxTokens,
      stop,
      stop_in_reasoning: stopInReasoning,
      sampling,
    }
    for await (const event of this.#call('/v1/verify', request, VerifyEvent, signal)) {
      yield* this.#heard(event, all)
      if (event.type === 'done') yield { type: 'done', work: work(event) }
    }
  }

  *#heard(
    event: VerifyEvent | domain.Away,
    drafted: readonly domain.DraftedStep[],
  ): Generator<Exclude<domain.VerifyEvent, { type: 'done' }>, void, undefined> {
    if (event.type === 'away') yield event
    if (event.type === 'context') yield this.#open(event)
    if (event.type === 'delta') {
      const { type, text, tokens: ids } = event
      for (const id of ids ?? []) this.#said.push(id)
      yield { type, text, tokens: ids?.length }
    }
    if (event.type === 'verdict') yield verdict(event, drafted)
    if (event.type === 'commit') {
      const { accepted, steps, text, tokens: ids, reasoning_tokens: reasoningTokens, correction, finish_reason } = event
      if (this.#said.some((id, i) => id !== ids[i]))
        throw new UpstreamError('bad_event', 'the backend committed other tokens than it said')
      this.#said = []
      for (const id of ids) this.#output.push(id)
      const finish = finish_reason ?? undefined
      yield { type: 'commit', accepted, steps, text, tokens: ids.length, ids, reasoningTokens, correction, finish }
    }
  }

  follow(
    { verifier, threshold, depth, width, overlap, decode, tokens, maxTokens }: domain.Following,
    signal: AbortSignal,
  ): AsyncIterable<domain.FollowEvent> {
    const { stop, stopInReasoning, sampling, coupled } = this.#text
    if (depth > 0 && !this.#draft) this.#draft = this.#draftAhead(signal)
    const request: Omit<VerifyRequestInput, 'context'> = {
      follow: true,
      depth,
      width,
      overlap,
      decode,
      verifier,
      threshold,
      speculation: tokens,
      coupled,
      max_tokens: maxTokens,
      stop,
      stop_in_reasoning: stopInReasoning,
      sampling,
    }
    const call = leavableCall(signal, (either) => this.#follow(request, either))
    this.#isFollowed = true
    return begun(call)
  }

  async *#follow(request: Omit<VerifyRequestInput, 'context'>, signal: AbortSignal): Events<domain.FollowEvent> {
    let steps: domain.DraftedStep[] = []
    let isLast = false
    const call = this.#call('/v1/verify', request, VerifyEvent, signal)
    for await (const event of call) {
      const failed = this.#draft?.failed
      if (failed && !failed.told) {
        failed.told = true
        yield { type: 'undrafted', error: failed.error }
      }
      if (event.type === 'step') {
        const step = stepOf(event)
        steps.push(step)
        yield step
      }
      if (event.type === 'cycle') {
        steps = []
        const { total_ms: ms, share_ms: share, load = 1 } = event.timings
        if (isLast) await this.#ended(call, signal)
        yield { type: 'cycle', ms, share: share === undefined ? undefined : { ms: share, load }, work: work(event) }
      }
      yield* this.#heard(event, steps)
      isLast ||= event.type === 'commit' && event.finish_reason !== null
      // Whoever reads on has read all of the call before it.
      if (event.type === 'context' && event.output_tokens !== this.#output.length) throw elsewhere()
    }
  }

  /** The text is over, and so are its calls in a moment: connections that they have left by themselves serve others. */
  async #ended(call: AsyncIterator<unknown>, signal: AbortSignal): Promise<void> {
    const calls = Promise.allSettled([call.next(), this.#draft?.ended])
    await Promise.race([calls, sleep(ENDING_MS, signal)])
  }

  /** A draft call that goes on beside all calls that verify, and again where it breaks off. */
  #draftAhead(signal: AbortSignal): DraftAhead {
    const draft: DraftAhead = { failed: undefined, ended: Promise.resolve() }
    const { sampling } = this.#text
    const either = AbortSignal.any([signal, this.#calls.signal])
    const request: Omit<DraftRequestInput, 'context'> = { depth: 1, follow: true, sampling }
    const toTheEnd = async (tries: number): Promise<void> => {
      try {
        for await (const _ of this.#call('/v1/draft', request, DraftEvent, either));
      } catch (error) {
        if (either.aborted) return
        if (tries > 1 && error instanceof UpstreamError && error.retryable) return toTheEnd(tries - 1)
        draft.failed = { error, told: false }
      }
    }
    draft.ended = toTheEnd(DRAFT_TRIES)
    return draft
  }

  recover(): void {
    this.#calls.abort()
    this.#calls = new AbortController()
    for (const id of this.#said) this.#output.push(id)
    this.#said = []
    this.#isKnown = this.#isFollowed = false
    this.#draft = undefined
  }

  async release(): Promise<void> {
    const { base, headers, fetch = globalThis.fetch } = this.#settings
    const init = { method: 'DELETE', headers, signal: AbortSignal.timeout(RELEASE_MS) }
    const response = await fetch(`${base}/v1/contexts/${this.#text.id}`, init).catch(() => undefined)
    await response?.body?.cancel().catch(() => undefined)
  }

  /** Whether a call goes on from the one before it, whose tokens may still be on their way here. */
  get #follows(): boolean {
    return this.#isKnown && this.#isFollowed
  }

  #open({ prompt_tokens: promptTokens, thinking, after_tag, partial_tag }: ContextEvent): domain.Opened {
    this.#isKnown = this.#isBegun = true
    return { type: 'opened', promptTokens, channels: { thinking, after_tag, partial_tag } }
  }

  /** A call on the context, tried again where the backend is busy or away. */
  #call<Event extends { type: string }>(
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

/** The same, asked for its first event at once. */
function begun<Event>(call: AsyncIterable<Event>): AsyncIterable<Event> {
  const iterator = call[Symbol.asyncIterator]()
  const first = iterator.next()
  // Whoever reads hears of it.
  first.catch(() => undefined)
  const asked = [first]
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => asked.pop() ?? iterator.next(),
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  }
}

/** A call whose reader may leave while it waits for an event. */
function leavableCall<Event>(outer: AbortSignal, start: (signal: AbortSignal) => Events<Event>): AsyncIterable<Event> {
  const scope = new AbortController()
  return leavable(start(AbortSignal.any([outer, scope.signal])), () => scope.abort())
}
