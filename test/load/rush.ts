import { Random } from '@lookahead/gpu-backend/dataset'
import { sum } from '../bench/statistics.ts'
import { Client } from './client.ts'
import type { Answer } from './client.ts'
import { areEqual } from './exactness.ts'
import type { Mismatch } from './exactness.ts'
import { drawDeparture, kinds } from './requests.ts'
import type { Kind, LoadRequest } from './requests.ts'

export interface RushOptions {
  clients: number
  /** For how long requests are begun. */
  seconds: number
  /** Fixes what each client sends in which order. */
  seed: string
}

/** A request that is still unanswered so long after the last one began never will be. */
const END_PATIENCE_MS = 600_000

/** All clients at once, each sending one request after another until the time is over or something is wrong. */
export class Rush {
  /** Complete answers. */
  readonly done = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>
  /** Requests that their clients gave up, and times that the backend had no room. */
  left = 0
  refused = 0
  /** Of complete answers. */
  tokens = 0
  readonly mismatches: Mismatch[] = []
  readonly violations: string[] = []
  readonly #url: string
  readonly #alone: ReadonlyMap<LoadRequest, Answer>
  readonly #options: RushOptions
  readonly #started = performance.now()
  #ended: number | undefined
  /** From then on no request is begun. */
  readonly #over = new AbortController()
  /** From then on none is waited for. */
  readonly #abandoned = new AbortController()

  constructor(url: string, alone: ReadonlyMap<LoadRequest, Answer>, options: RushOptions) {
    this.#url = url
    this.#alone = alone
    this.#options = options
  }

  get answered(): number {
    return sum(Object.values(this.done))
  }

  get seconds(): number {
    return ((this.#ended ?? performance.now()) - this.#started) / 1000
  }

  violate(what: string): void {
    this.violations.push(what)
    this.#over.abort()
  }

  /** Resolves when the last client has its answer, or has waited long enough. */
  async run(): Promise<void> {
    const { clients, seconds } = this.#options
    const end = setTimeout(() => this.#over.abort(), seconds * 1000)
    let patience: NodeJS.Timeout | undefined
    this.#over.signal.addEventListener('abort', () => {
      patience = setTimeout(
        () =>
          this.#abandoned.abort(new Error(`unanswered ${END_PATIENCE_MS / 1000} s after the last request was begun`)),
        END_PATIENCE_MS,
      )
    })
    await Promise.all(Array.from({ length: clients }, (_, i) => this.#visit(i)))
    clearTimeout(end)
    clearTimeout(patience)
    this.#ended = performance.now()
  }

  async #visit(index: number): Promise<void> {
    const random = new Random(`client ${index} ${this.#options.seed}`)
    const client = new Client({ baseURL: this.#url, onRefused: () => this.refused++, signal: this.#abandoned.signal })
    const requests = [...this.#alone.keys()]
    for (let turn = 0; !this.#over.signal.aborted; turn++) {
      // Each begins with another request and waits for its answer, so that even a short load has all kinds of answers.
      const request = turn === 0 ? requests[index % requests.length]! : random.pick(requests)
      const departure = turn === 0 ? undefined : drawDeparture(random, request.kind)
      try {
        this.#count(request, await client.send(request, departure))
      } catch (error) {
        this.violate(`${request.kind}: ${String(error)}`)
      }
    }
  }

  #count(request: LoadRequest, texts: Answer[] | undefined): void {
    if (!texts) {
      this.left++
      return
    }
    this.done[request.kind]++
    const alone = this.#alone.get(request)!
    for (const underLoad of texts) {
      this.tokens += underLoad.tokens.length
      if (!areEqual(alone, underLoad)) this.mismatches.push({ request, alone, underLoad })
    }
  }
}
