import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Caller } from './caller.ts'
import type { RequestNames } from './errors.ts'

/** One call under way. Its signal's reason is always a `ProtocolError`, so that aborted work throws what may be said. */
export interface Call {
  signal: AbortSignal
  /** Aborted when the client has left, but not when the server stops. */
  left: AbortSignal
  /** What the log calls it. */
  request: RequestNames | undefined
  /** Counts the tokens of its prompts. @throws {ProtocolError} 429 `overloaded` when too many are queued already */
  reads: (tokens: number) => void
  /** All its texts have begun: the call no longer counts as queued. Further calls do nothing. */
  started: () => void
  /** The client has left: 499 `client_left`. */
  leave: () => void
  /** To be called however the call ended; further calls do nothing. */
  end: () => void
}

/** Whoever is refused may come back after so many seconds, drawn anew for each: they shall not all come at once. */
const RETRY_SECONDS = [1, 4] as const

/** How much may be queued: calls of which some text has not begun. Where it is full, who has less than a fair share is still let in. */
export interface QueueLimits {
  /** Shared out among clients, and a client's share among its users. Default 256. */
  requests?: number | undefined
  /** Tokens of their prompts, shared out among calls and among clients; a call that is alone may have more. Default 131,072. */
  tokens?: number | undefined
}

interface Queued {
  requests: number
  tokens: number
}

type PartialCaller = Pick<Caller, 'connection'> & Partial<Pick<Caller, 'client' | 'user' | 'request'>>

/** The calls under way: a server that stops waits for them, then aborts what is left. */
export class Calls {
  readonly #running = new Set<AbortController>()
  /** Why no more are let in. */
  #over: ProtocolError | undefined
  readonly #limits: Queued
  readonly #queued: Queued = { requests: 0, tokens: 0 }
  /** What is queued, by client and user. */
  readonly #clients = new Map<string, Map<string, Queued>>()

  constructor({ requests = 256, tokens = 131_072 }: QueueLimits = {}) {
    this.#limits = { requests, tokens }
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * @param caller whose call it is. Default: all are one client, with one user
   * @throws {ProtocolError} 429 `overloaded` when too many are queued already; 503 `draining` after `abort`
   */
  begin({ connection, client = '', user = '', request }: PartialCaller): Call {
    if (this.#over) throw this.#over
    const { reads, started } = this.#enqueue(client, user)
    const controller = new AbortController()
    const left = new AbortController()
    const leave = (): void => {
      const reason = new ProtocolError(499, 'client_left', 'the client left')
      controller.abort(reason)
      left.abort(reason)
    }
    const end = (): void => {
      started()
      this.#running.delete(controller)
      connection.removeEventListener('abort', leave)
    }
    this.#running.add(controller)
    connection.addEventListener('abort', leave)
    if (connection.aborted) leave()
    return { signal: controller.signal, left: left.signal, request, reads, started, leave, end }
  }

  /** PartialCaller a call. `prepare` sees to its end, unless it throws. @throws as `begin` and `prepare` do */
  async answer(caller: PartialCaller, prepare: (call: Call) => Promise<Response>): Promise<Response> {
    const call = this.begin(caller)
    try {
      return await prepare(call)
    } catch (error) {
      call.end()
      throw error
    }
  }

  /** Aborts all, and those to come: 503 `draining`. */
  abort(): void {
    this.#over = new ProtocolError(503, 'draining', 'the backend shut down before the answer was complete', {
      retryAfter: 5,
    })
    for (const controller of this.#running) controller.abort(this.#over)
  }

  #enqueue(client: string, user: string): Pick<Call, 'reads' | 'started'> {
    const queued = this.#queued
    const clients = this.#clients
    const users = clients.get(client) ?? new Map<string, Queued>()
    const its = users.get(user) ?? { requests: 0, tokens: 0 }
    clients.set(client, users.set(user, its))
    /** The user's share is one of so many. */
    const shares = (): number => clients.size * users.size
    const leave = (): void => {
      its.requests--
      if (its.requests === 0) users.delete(user)
      if (users.size === 0) clients.delete(client)
    }
    its.requests++
    if (queued.requests >= this.#limits.requests && its.requests > this.#limits.requests / shares()) {
      leave()
      this.#refuse()
    }
    queued.requests++
    let isQueued = true
    let own = 0
    return {
      reads: (tokens) => {
        const fits = queued.tokens === 0 || queued.tokens + tokens <= this.#limits.tokens
        // However large the others are, a small one gets in, and so does a user who has little.
        const isSmall = own + tokens <= this.#limits.tokens / queued.requests
        const hasLittle = shares() > 1 && its.tokens + tokens <= this.#limits.tokens / shares()
        if (!fits && !isSmall && !hasLittle) this.#refuse()
        own += tokens
        its.tokens += tokens
        queued.tokens += tokens
      },
      started: () => {
        if (!isQueued) return
        isQueued = false
        queued.requests--
        queued.tokens -= own
        its.tokens -= own
        leave()
      },
    }
  }

  #refuse(): never {
    const { requests, tokens } = this.#queued
    throw new ProtocolError(
      429,
      'overloaded',
      `${requests} requests with ${tokens} prompt tokens are queued already: try again shortly`,
      { retryAfter: between(...RETRY_SECONDS) },
    )
  }
}

/** A whole number from `least` to `most`. */
const between = (least: number, most: number): number => least + Math.floor(Math.random() * (most - least + 1))
