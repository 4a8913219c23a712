/** Our GPU backend as an engine: `/v1/draft` and `/v1/verify`, each one POST that is answered by server-sent events. */
import { DraftEvent, VerifyEvent, leavable, resumed, sleep } from '@lookahead/sdk/protocol'
import type { DraftRequestInput, VerifyRequestInput } from '@lookahead/sdk/protocol'
import type { TokenGuesses } from '../lookahead/token-guesses.ts'
import { UpstreamError } from '../lookahead/upstream.ts'
import type * as domain from '../lookahead/upstream.ts'
import { NativeContext } from './native-context.ts'
import type { NativeOptions, Settings } from './native-context.ts'
import { named, stepOf, verdict, work } from './native-wire.ts'

export type { NativeOptions } from './native-context.ts'

/** How long calls may take to end after their text has. */
const ENDING_MS = 100

export function nativeUpstream(options: NativeOptions): domain.Upstream {
  const { token, requestId } = options
  const headers = {
    'content-type': 'application/json',
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(requestId ? { 'x-request-id': requestId } : {}),
  }
  const settings = { ...options, headers }
  return {
    open: (text) => new NativeSession(settings, text),
    takeUp: (text, output) => new NativeSession(settings, text, output),
  }
}

/** How often a draft call that goes on may break off. */
const DRAFT_TRIES = 3
/** After all the time that a call has. */
const SILENT: ReadonlySet<string> = new Set(['unreachable', 'idle'])

/** Whether the draft call that goes on has failed, and whether that was told. */
interface DraftAhead {
  /** Never rejects. */
  ended: Promise<void>
  failed: { error: unknown; told: boolean } | undefined
}

type Events<Event> = AsyncGenerator<Event, void, undefined>

class NativeSession implements domain.Session {
  readonly #text: domain.TextRequest
  readonly #context: NativeContext
  #draft: DraftAhead | undefined

  constructor(settings: Settings, text: domain.TextRequest, output?: readonly number[]) {
    this.#text = text
    this.#context = new NativeContext(settings, text, output)
  }

  draft({ depth, width, ngram }: domain.Ahead, signal: AbortSignal): AsyncIterable<domain.DraftEvent> {
    const { sampling } = this.#text
    const request: Omit<DraftRequestInput, 'context'> = { depth, width, speculation: { ngram }, sampling }
    return leavableCall(signal, (either) => this.#drafts(request, either))
  }

  async *#drafts(request: Omit<DraftRequestInput, 'context'>, signal: AbortSignal): Events<domain.DraftEvent> {
    const sent = performance.now()
    let callMs = 0
    for await (const event of this.#context.call('/v1/draft', request, DraftEvent, signal)) {
      if (event.type === 'away') yield event
      if (event.type === 'context') {
        callMs = performance.now() - sent
        yield this.#context.open(event)
      }
      if (event.type === 'step') yield stepOf(event)
      if (event.type === 'done') {
        const { draft_ms: draftMs, prompt_ms: promptMs } = event.timings
        yield { type: 'done', work: { callMs, draftMs, promptMs } }
      }
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
    const sent = performance.now()
    let callMs = 0
    for await (const event of this.#context.call('/v1/verify', request, VerifyEvent, signal)) {
      if (event.type === 'context') callMs = performance.now() - sent
      if (event.type === 'step' || event.type === 'cycle')
        throw new UpstreamError('bad_event', 'the backend went on with a call that was to be one cycle')
      yield* this.#translated(event, all)
      if (event.type === 'done') yield { type: 'done', work: { callMs, ...work(event) } }
    }
  }

  *#translated(
    event: VerifyEvent | domain.Away,
    drafted: readonly domain.DraftedStep[],
  ): Generator<Exclude<domain.VerifyEvent, { type: 'done' }>, void, undefined> {
    if (event.type === 'away') yield event
    if (event.type === 'context') yield this.#context.open(event)
    if (event.type === 'delta') {
      const { type, text, tokens: ids } = event
      this.#context.say(ids ?? [])
      yield { type, text, tokens: ids?.length, ids }
    }
    if (event.type === 'verdict') yield verdict(event, drafted)
    if (event.type === 'commit') {
      const { accepted, steps, text, tokens: ids, reasoning_tokens: reasoningTokens, correction, finish_reason } = event
      this.#context.commit(ids)
      const finish = finish_reason ?? undefined
      yield { type: 'commit', accepted, steps, text, tokens: ids.length, ids, reasoningTokens, correction, finish }
    }
  }

  follow(
    { verifier, threshold, depth, width, overlap, decode, tokens, maxTokens }: domain.Following,
    signal: AbortSignal,
  ): AsyncIterable<domain.FollowEvent> {
    const { stop, stopInReasoning, sampling, coupled } = this.#text
    if (depth > 0 && !this.#draft) this.#draft = this.#draftAhead(tokens, signal)
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
    this.#context.isFollowed = true
    return begun(call)
  }

  async *#follow(request: Omit<VerifyRequestInput, 'context'>, signal: AbortSignal): Events<domain.FollowEvent> {
    let steps: domain.DraftedStep[] = []
    let isLast = false
    const call = this.#context.call('/v1/verify', request, VerifyEvent, signal)
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
        const { wait_ms: waitMs = 0, share_ms: share, load = 1 } = event.timings
        if (isLast) await this.#ended(call, signal)
        yield { type: 'cycle', waitMs, share: share === undefined ? undefined : { ms: share, load }, work: work(event) }
      }
      yield* this.#translated(event, steps)
      isLast ||= event.type === 'commit' && event.finish_reason !== null
      // Whoever reads on has read all of the call before it.
      if (event.type === 'context') this.#context.goesOnAt(event)
    }
  }

  /** The text is over, and so are its calls in a moment: connections that they have left by themselves serve others. */
  async #ended(call: AsyncIterator<unknown>, signal: AbortSignal): Promise<void> {
    const calls = Promise.allSettled([call.next(), this.#draft?.ended])
    await Promise.race([calls, sleep(ENDING_MS, signal)])
  }

  /** A draft call that goes on beside all calls that verify, and again where it breaks off; not where it had all its time. */
  #draftAhead({ ngram }: TokenGuesses, signal: AbortSignal): DraftAhead {
    const draft: DraftAhead = { failed: undefined, ended: Promise.resolve() }
    const { sampling } = this.#text
    const either = AbortSignal.any([signal, this.#context.signal])
    const request: Omit<DraftRequestInput, 'context'> = {
      depth: 1,
      follow: true,
      speculation: { ngram },
      sampling,
    }
    const toTheEnd = async (tries: number): Promise<void> => {
      try {
        for await (const _ of this.#context.call('/v1/draft', request, DraftEvent, either, false));
      } catch (error) {
        if (either.aborted) return
        if (tries > 1 && hasBrokenOff(error)) return toTheEnd(tries - 1)
        draft.failed = { error, told: false }
      }
    }
    draft.ended = toTheEnd(DRAFT_TRIES)
    return draft
  }

  recover(failure: UpstreamError): boolean {
    this.#draft = undefined
    return this.#context.recover(failure)
  }

  release(): Promise<void> {
    return this.#context.release()
  }
}

/** Whether a call failed at once after its answer had begun: a call that is refused, or not answered, was tried for all its time already. */
const hasBrokenOff = (error: unknown): boolean =>
  error instanceof UpstreamError && error.retryable && error.status === undefined && !SILENT.has(error.code)

/** The same, asked for its first event at once. */
function begun<Event>(call: AsyncIterable<Event>): AsyncIterable<Event> {
  const iterator = call[Symbol.asyncIterator]()
  const first = iterator.next()
  // Whoever reads hears of it.
  first.catch(() => undefined)
  return resumed(first, iterator)
}

/** A call whose reader may leave while it waits for an event. */
function leavableCall<Event>(outer: AbortSignal, start: (signal: AbortSignal) => Events<Event>): AsyncIterable<Event> {
  const scope = new AbortController()
  return leavable(start(AbortSignal.any([outer, scope.signal])), () => scope.abort())
}
