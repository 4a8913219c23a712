import { ProtocolError } from '@lookahead/sdk/protocol'

/** One call under way. Its signal's reason is always a `ProtocolError`, so that aborted work throws what may be said. */
export interface Call {
  signal: AbortSignal
  /** All its texts have begun: the call no longer counts as queued. Further calls do nothing. */
  started: () => void
  /** The client has left: 499 `client_left`. */
  leave: () => void
  /** To be called however the call ended; further calls do nothing. */
  end: () => void
}

/** Whoever is refused may come back after so many seconds, drawn anew for each: they shall not all come at once. */
const RETRY_SECONDS = [1, 4] as const

/** How many calls may be queued: begun, but not yet all of their texts. */
export interface QueueLimits {
  /** Default 256. */
  requests?: number | undefined
  /** Tokens of their prompts; a call that is alone may have more. Default 131,072. */
  tokens?: number | undefined
}

/** The calls under way: a server that stops waits for them, then aborts what is left. */
export class Calls {
  readonly #running = new Set<AbortController>()
  readonly #limits: { requests: number; tokens: number }
  readonly #queued = { requests: 0, tokens: 0 }

  constructor({ requests = 256, tokens = 131_072 }: QueueLimits = {}) {
    this.#limits = { requests, tokens }
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * @param connection aborted when the client's connection closes before the answer is complete
   * @param tokens of the prompts that the call brings
   * @throws {ProtocolError} 429 `overloaded` when too much is queued already
   */
  begin(connection: AbortSignal, tokens: number): Call {
    const started = this.#enqueue(tokens)
    const controller = new AbortController()
    const leave = (): void => controller.abort(new ProtocolError(499, 'client_left', 'the client left'))
    const end = (): void => {
      started()
      this.#running.delete(controller)
      connection.removeEventListener('abort', leave)
    }
    this.#running.add(controller)
    connection.addEventListener('abort', leave)
    if (connection.aborted) leave()
    return { signal: controller.signal, started, leave, end }
  }

  /** Aborts all: 503 `draining`. */
  abort(): void {
    const reason = new ProtocolError(503, 'draining', 'the backend shut down before the answer was complete', {
      retryAfter: 5,
    })
    for (const controller of this.#running) controller.abort(reason)
  }

  /** @returns what takes the call from the queue */
  #enqueue(tokens: number): () => void {
    const queued = this.#queued
    const { requests: mostRequests, tokens: mostTokens } = this.#limits
    const isFull = queued.requests >= mostRequests || queued.tokens + tokens > mostTokens
    if (queued.requests > 0 && isFull)
      throw new ProtocolError(
        429,
        'overloaded',
        `${queued.requests} requests with ${queued.tokens} prompt tokens are queued already: try again shortly`,
        { retryAfter: between(...RETRY_SECONDS) },
      )
    queued.requests++
    queued.tokens += tokens
    let isQueued = true
    return () => {
      if (!isQueued) return
      isQueued = false
      queued.requests--
      queued.tokens -= tokens
    }
  }
}

/** A whole number from `least` to `most`. */
const between = (least: number, most: number): number => least + Math.floor(Math.random() * (most - least + 1))
