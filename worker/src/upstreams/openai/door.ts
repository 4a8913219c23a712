/** The way to an OpenAI-compatible server, by the `openai` client: tried again where that may help, or at another one of the same model. */
import { Watchdog, parseRetryAfter, retry } from '@lookahead/sdk/protocol'
import { OpenAI } from 'openai/client'
import { APIError } from 'openai/core/error'
import * as v from 'valibot'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { errorText } from '../error-text.ts'
import { Addresses, PATIENCE_MS } from '../addresses.ts'
import type { Address } from '../addresses.ts'
import { failure, refusal, silent } from './failure.ts'
import type { Role } from './failure.ts'
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

export interface Link {
  /** How long it may be silent. Milliseconds; default 60,000. */
  timeoutMs?: number | undefined
  /** How long it may take to begin an answer where another one could be asked. Milliseconds; default 10,000. */
  patienceMs?: number | undefined
  fetch?: typeof fetch | undefined
  /** Only texts of one salt share what a server has run, where it knows the field. Default: all do. */
  cacheSalt?: string | undefined
}

/** Where there is no other one to ask: each other one is a try more. */
const RETRIES = 2
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 60_000

/** Whose body is read under the watchdog's eyes. */
interface Answered {
  response: Response
  watchdog: Watchdog
  at: Address
}

export class Door {
  /** Whether what failed last is asked of another server from now on, which does well. */
  isElsewhere = false
  /** Why a call went on at another server, by itself, since this was asked last. */
  #moved: UpstreamError | undefined
  readonly #role: Role
  readonly #addresses: Addresses
  readonly #client: OpenAI
  readonly #timeoutMs: number
  readonly #patienceMs: number
  readonly #retries: number

  constructor(
    role: Role,
    { url, apiKey }: ServerOptions,
    { timeoutMs, patienceMs = PATIENCE_MS, fetch }: Link & { timeoutMs: number },
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
      fetch: async (input, init) => {
        // workerd refuses a `fetch` that is called as a method of something else.
        const response = await (fetch ?? globalThis.fetch)(input, init)
        return response.ok ? response : new Response(await errorText(response), response)
      },
    })
    this.#addresses = new Addresses(urls, (one, signal) =>
      this.#client.get(`${addressesOf(one).base}/models`, { signal }).asResponse(),
    )
  }

  /** An answer with a good status, whose body is to be read. @throws {UpstreamError}; the signal's reason */
  post(path: string, body: object, signal: AbortSignal): Promise<Answered> {
    let at = this.#addresses.present
    const attempt = async () => {
      at = this.#addresses.present
      const watchdog = new Watchdog(signal)
      const ms = this.#addresses.hasOther ? this.#patienceMs : this.#timeoutMs
      const answer = () => this.#client.post(urlAt(at, path), { body, signal: watchdog.signal }).asResponse()
      const response = await watchdog
        .wait(answer, ms, () => silent(this.#role))
        .catch((error: unknown) => {
          signal.throwIfAborted()
          throw this.#failure(error)
        })
      this.#addresses.answered()
      return { response, watchdog, at }
    }
    const delay = (error: unknown, failures: number) => {
      const isPassing = error instanceof UpstreamError && error.retryable
      const isElsewhere = isPassing && this.leave(at, error)
      if (!isPassing || failures >= this.#retries) return undefined
      if (!isElsewhere) return delayAfter(error, failures)
      this.#moved = error
      return 0
    }
    return retry(attempt, { signal, delay })
  }

  takeMoved(): UpstreamError | undefined {
    const moved = this.#moved
    this.#moved = undefined
    return moved
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

/** As OpenAI's own client waits: what `Retry-After` says, up to a minute, else 0.5 s · 2ⁿ, less up to a quarter at random. */
function delayAfter({ retryAfterMs }: UpstreamError, failures: number): number {
  if (retryAfterMs !== undefined && retryAfterMs <= MAX_DELAY_MS) return retryAfterMs
  return FIRST_DELAY_MS * 2 ** failures * (1 - Math.random() / 4)
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
