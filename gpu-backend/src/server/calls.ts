import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Caller } from './caller.ts'

/** One call under way. Its signal's reason is always a `ProtocolError`, so that aborted work throws what may be said. */
export interface Call {
  signal: AbortSignal
  /** Aborted when the client has left, but not when the server stops. */
  left: AbortSignal
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

/** How many calls may be queued: begun, but not yet all of their texts. Beyond, those are let in who have less than their share. */
export interface QueueLimits {
  /** Shared out among clients. Default 256. */
  requests?: number | undefined
  /** Tokens of their prompts, shared out among calls and among clients; a call that is alone may have more. Default 131,072. */
  tokens?: number | undefined
}

/** The calls under way: a server that stops waits for them, then aborts what is left. */
export class Calls {
  readonly #running = new Set<AbortController>()
  /** Why no more are let in. */
  #over: ProtocolError | undefined
  readonly #limits: { requests: number; tokens: number }
  readonly #queued = { requests: 0, tokens: 0 }
  /** What is queued, by client. */
  readonly #clients = new Map<string, { requests: number; tokens: number }>()

  constructor({ requests = 256, tokens = 131_072 }: QueueLimits = {}) {
    this.#limits = { requests, tokens }
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * @param connection aborted when the client's connection closes before the answer is complete
   * @param client whose call it is, among whom the queue is shared out. Default: all are one
   * @throws {ProtocolError} 429 `overloaded` when too many are queued already; 503 `draining` after `abort`
   */
  begin(connection: AbortSignal, client = ''): Call {
    if (this.#over) throw this.#over
    const { reads, started } = this.#enqueue(client)
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
    return { signal: controller.signal, left: left.signal, reads, started, leave, end }
  }

  /** Begins a call. `prepare` sees to its end, unless it throws. @throws as `begin` and `prepare` do */
  async answer(
    { connection, client }: Pick<Caller, 'connection' | 'client'>,
    prepare: (call: Call) => Promise<Response>,
  ): Promise<Response> {
    const call = this.begin(connection, client)
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

  #enqueue(client: string): Pick<Call, 'reads' | 'started'> {
    const queued = this.#queued
    const clients = this.#clients
    const its = clients.get(client) ?? { requests: 0, tokens: 0 }
    const share = this.#limits.requests / (clients.size + (its.requests === 0 ? 1 : 0))
    if (queued.requests >= this.#limits.requests && its.requests + 1 > share) this.#refuse()
    queued.requests++
    its.requests++
    clients.set(client, its)
    let isQueued = true
    let own = 0
    return {
      reads: (tokens) => {
        const fits = queued.tokens === 0 || queued.tokens + tokens <= this.#limits.tokens
        // However large the others are, a small one gets in, and so does a client that has little.
        const isSmall = own + tokens <= this.#limits.tokens / queued.requests
        const hasLittle = clients.size > 1 && its.tokens + tokens <= this.#limits.tokens / clients.size
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
        its.requests--
        its.tokens -= own
        if (its.requests === 0) clients.delete(client)
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
