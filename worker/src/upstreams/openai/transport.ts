/** The way to an OpenAI-compatible server, by the `openai` client: tried again where that may help, or at another one of the same model. */
import { Watchdog, backoff, parseRetryAfter, retry } from '@lookahead/sdk/protocol'
import { OpenAI } from 'openai/client'
import { APIError } from 'openai/core/error'
import * as v from 'valibot'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { errorText } from '../error-text.ts'
import { Addresses, FIRST_ANSWER_MS } from '../addresses.ts'
import type { Address } from '../addresses.ts'
import { asFinal, failure, isAway, refusal, silent } from './failure.ts'
import type { Role } from './failure.ts'
import { AwayEvents } from './away-events.ts'
import { Refusal } from './wire.ts'

export interface ServerOptions {
  /**
   * Where it listens: `http://host:8000`, with or without `/v1`, or a cloud's address as its documents give it. Of several, which have to be
   * alike, each text is at one, until that fails.
   */
  url: string | readonly string[]
  model: string
  apiKey?: string | undefined
}

export interface ConnectionOptions {
  /** How long it may be silent. Milliseconds; default 60,000. */
  timeoutMs?: number | undefined
  /** How long it may take to begin an answer where another one could be asked. Milliseconds; default 10,000. */
  patienceMs?: number | undefined
  fetch?: typeof fetch | undefined
  /** Only texts of one salt share what a server has run, where it knows the field. Default: all do. */
  cacheSalt?: string | undefined
  /** Sent along as `x-request-id`. */
  requestId?: string | undefined
}

/** Of what fails by itself, and of a helper, which nobody waits for: each other address is a try more. */
const RETRIES = 2
const MAX_DELAY_MS = 4_000
const MAX_RETRY_AFTER_MS = 60_000

/** Whose body is read under the watchdog's eyes. */
interface Answered {
  response: Response
  watchdog: Watchdog
  at: Address
}

export class Transport {
  /** Whether what failed last is asked of another server from now on, which does well. */
  isElsewhere = false
  readonly awayEvents = new AwayEvents()
  #hasAnswered = false
  readonly #role: Role
  readonly #addresses: Addresses
  readonly #client: OpenAI
  readonly #timeoutMs: number
  readonly #patienceMs: number
  readonly #retries: number

  constructor(
    role: Role,
    { url, apiKey }: ServerOptions,
    { timeoutMs, patienceMs = FIRST_ANSWER_MS, requestId, fetch }: ConnectionOptions & { timeoutMs: number },
  ) {
    this.#role = role
    this.#timeoutMs = timeoutMs
    this.#patienceMs = Math.min(patienceMs, timeoutMs)
    const urls = [url].flat()
    this.#retries = RETRIES + urls.length - 1
    this.#client = new OpenAI({
      apiKey: apiKey ?? 'none',
      organization: null,
      project: null,
      timeout: timeoutMs,
      maxRetries: 0,
      logLevel: 'off',
      defaultHeaders: requestId === undefined ? {} : { 'x-request-id': requestId },
      fetch: async (input, init) => {
        // workerd refuses a `fetch` that is called as a method of something else.
        const response = await (fetch ?? globalThis.fetch)(input, init)
        return response.ok ? response : new Response(await errorText(response), response)
      },
    })
    this.#addresses = new Addresses(urls, (one, signal) => this.#list(one, signal))
  }

  /**
   * An answer with a good status, whose body is to be read. All tries have one deadline, and what is not back by then has failed for good.
   * @throws {UpstreamError}; the signal's reason
   */
  post(path: string, body: object, signal: AbortSignal): Promise<Answered> {
    let at = this.#addresses.present
    const started = Date.now()
    const attempt = async () => {
      at = this.#addresses.present
      const watchdog = new Watchdog(signal)
      const left = started + this.#timeoutMs - Date.now()
      const ms = this.#addresses.hasOther ? Math.min(this.#patienceMs, left) : left
      const answer = () => this.#client.post(urlAt(at, path), { body, signal: watchdog.signal }).asResponse()
      const response = await watchdog
        .wait(answer, ms, () => silent(this.#role))
        .catch((error: unknown) => {
          signal.throwIfAborted()
          throw this.#failure(error)
        })
      this.#addresses.answered()
      this.#hasAnswered = true
      return { response, watchdog, at }
    }
    const delay = (error: unknown, failures: number) => {
      if (!(error instanceof UpstreamError && error.retryable)) return undefined
      const elsewhere = this.leave(at, error)
      const ms = elsewhere ? 0 : delayAfter(error, failures)
      const isWaitedFor = this.#role === 'target' && isAway(error)
      if (!isWaitedFor && failures >= this.#retries) return undefined
      // A text that has not begun waits for a third of it.
      const waitMs = elsewhere || this.#hasAnswered ? this.#timeoutMs : this.#timeoutMs / 3
      if (Date.now() + ms >= started + waitMs) throw asFinal(error)
      this.awayEvents.push({ type: 'away', error, elsewhere })
      return ms
    }
    return retry(attempt, { signal, delay })
  }

  /** What it says of its models, asked once and for a moment. @throws whatever keeps it from answering */
  models(signal: AbortSignal): Promise<Response> {
    return this.#list(this.#addresses.present.url, AbortSignal.any([signal, AbortSignal.timeout(this.#patienceMs)]))
  }

  #list(url: string, signal: AbortSignal): Promise<Response> {
    return this.#client.get(`${addressesOf(url).base}/models`, { signal }).asResponse()
  }

  /** It has failed. @returns whether another one that does well is asked from now on */
  leave(at: Address, error: UpstreamError): boolean {
    error.host = new URL(at.url).host
    return (this.isElsewhere = this.#addresses.leave(at, error.retryAfterMs))
  }

  #failure(error: unknown): UpstreamError {
    if (!(error instanceof APIError) || typeof error.status !== 'number')
      return failure(this.#role, 'unreachable', error)
    const { status, headers } = error
    const said = v.safeParse(Refusal, { error: error.error })
    const retryAfterMs = parseRetryAfter(headers?.get('retry-after') ?? null)
    return refusal(this.#role, said.success ? said.output : error.message, { status, retryAfterMs })
  }
}

/** What `Retry-After` says, up to a minute, else 0.5 s · 2ⁿ, up to 4 s. */
function delayAfter({ retryAfterMs }: UpstreamError, failures: number): number {
  if (retryAfterMs !== undefined && retryAfterMs <= MAX_RETRY_AFTER_MS) return retryAfterMs
  return backoff(failures, MAX_DELAY_MS)
}

/** `root:` leads to where engines have what OpenAI has not: the address without `/v1`. */
function urlAt({ url }: Address, path: string): string {
  const { base, root } = addressesOf(url)
  return path.startsWith('root:') ? root + path.slice('root:'.length) : base + path
}

export function addressesOf(url: string): { base: string; root: string } {
  const base = url.replace(/\/+$/, '')
  const root = base.replace(/\/v1$/, '')
  return { base: new URL(base).pathname === '/' ? `${base}/v1` : base, root }
}
