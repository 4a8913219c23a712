/** One client: sends a request, waits where it is refused, and leaves when it is told to. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorBody, RunRequest, parseRequest, readEvents } from '@lookahead/sdk/protocol'
import { cycle } from '@lookahead/worker/lookahead'
import type { Session, Upstream } from '@lookahead/worker/lookahead'
import { nativeUpstream } from '@lookahead/worker/native'
import * as v from 'valibot'
import type { Departure, LoadRequest } from './requests.ts'

export interface Answer {
  /** As the client sees it; thoughts and answer of a chat one after the other. */
  text: string
  tokens: number[]
  finishReason: string
}

export interface ClientOptions {
  baseURL: string
  /** Called whenever the backend has no room: 429, or `overloaded` on the way. */
  onRefused?: () => void
  /** Ends all that is under way. */
  signal?: AbortSignal
}

/** A call that may be tried again. */
class Refused extends Error {
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

const Text = v.nullish(v.string(), '')
const Channels = v.optional(v.object({ reasoning: Text, content: Text }), { reasoning: '', content: '' })
/** An answer of either endpoint, or a chunk of one. */
const Completion = v.object({
  choices: v.array(
    v.object({
      index: v.number(),
      text: Text,
      message: Channels,
      delta: Channels,
      finish_reason: v.nullable(v.string()),
      token_ids: v.optional(v.array(v.number()), []),
    }),
  ),
})

/** Texts of a request that asks for several. */
const SEVERAL = 3

/** How long a run waits for its turn. */
const PATIENCE_MS = 600_000

export class Client {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /**
   * Sends until it is not refused.
   * @returns all texts of the answer, which must be alike; undefined when the client left before the end
   * @throws {Error} when the backend fails, refuses for good, or breaks off
   */
  async send(request: LoadRequest, departure?: Departure): Promise<Answer[] | undefined> {
    const visit = new Visit(departure, this.#options.signal)
    try {
      for (;;) {
        try {
          return await (isRun(request) ? [await this.#run(request, visit)] : this.#complete(request, visit))
        } catch (error) {
          if (!(error instanceof Refused)) throw error
          this.#options.onRefused?.()
          await sleep(error.retryAfterSeconds * 1000, undefined, { signal: visit.signal })
        }
      }
    } catch (error) {
      if (visit.hasLeft) return undefined
      throw error
    } finally {
      visit.end()
    }
  }

  async #complete({ kind, prompt, maxTokens }: LoadRequest, visit: Visit): Promise<Answer[]> {
    const [endpoint, variant] = kind.split(' ')
    const asked = endpoint === 'chat' ? { messages: [{ role: 'user', content: prompt }] } : { prompt }
    const response = await fetch(`${this.#options.baseURL}/v1/${endpoint === 'chat' ? 'chat/' : ''}completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...asked,
        max_tokens: maxTokens,
        temperature: 0,
        stream: variant === 'stream',
        n: variant === 'n' ? SEVERAL : 1,
        return_token_ids: true,
      }),
      signal: visit.signal,
    })
    if (!response.ok) throw failure(await response.json(), Number(response.headers.get('retry-after') ?? 1))
    return variant === 'stream' ? texts(await readChunks(response, visit)) : texts([await response.json()])
  }

  /** As the worker does it, at temperature 0 and token for token. */
  async #run({ kind, prompt, maxTokens }: LoadRequest, visit: Visit): Promise<Answer> {
    const { baseURL, onRefused } = this.#options
    const counted: typeof fetch = async (...call) => {
      const response = await fetch(...call)
      if (response.status === 429) onRefused?.()
      return response
    }
    const tokens: number[] = []
    const upstream = watched(nativeUpstream({ baseURL, fetch: counted, timeoutMs: PATIENCE_MS }), visit, tokens)
    const request = parseRequest(RunRequest, {
      messages: [{ role: 'user', content: prompt }],
      max_tokens: maxTokens,
      sampling: { temperature: 0 },
      lookahead: { mode: kind, verifier: 'exact' },
    })
    let text = ''
    for await (const event of cycle(upstream, request, { runId: randomUUID(), signal: visit.signal })) {
      visit.event()
      if (event.type === 'text.delta') text += event.text
      if (event.type === 'run.completed') return { text, tokens, finishReason: event.finish_reason }
      if (event.type === 'run.degraded' && event.code !== 'overloaded')
        throw new Error(`the run lost its ${event.part} (${event.code}: ${event.message})`)
      if (event.type === 'run.failed') {
        if (event.code === 'overloaded') throw new Refused(event.message, 1)
        throw new Error(`the run failed (${event.code}: ${event.message})`)
      }
    }
    throw new Error('the run ended without a terminal event')
  }
}

const isRun = ({ kind }: LoadRequest): boolean => kind === 'ar' || kind === 'lr+sd'

/** Watches over a client's departure. */
class Visit {
  readonly signal: AbortSignal
  readonly #departure: Departure | undefined
  readonly #left = new AbortController()
  readonly #timer: NodeJS.Timeout | undefined
  #events = 0

  constructor(departure: Departure | undefined, signal?: AbortSignal) {
    this.#departure = departure
    this.signal = signal ? AbortSignal.any([this.#left.signal, signal]) : this.#left.signal
    if (departure && 'afterMs' in departure) this.#timer = setTimeout(() => this.#left.abort(), departure.afterMs)
  }

  get hasLeft(): boolean {
    return this.#left.signal.aborted
  }

  event(): void {
    const departure = this.#departure
    if (departure && 'afterEvents' in departure && ++this.#events >= departure.afterEvents) this.#left.abort()
  }

  beforeVerify(): void {
    if (this.#departure && 'beforeVerify' in this.#departure) this.#left.abort()
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

/** The same engine; committed tokens are kept, and a client may leave before a verification. */
function watched(upstream: Upstream, visit: Visit, tokens: number[]): Upstream {
  return {
    open(text) {
      const session = upstream.open(text)
      async function* verify(...call: Parameters<Session['verify']>) {
        visit.beforeVerify()
        for await (const event of session.verify(...call)) {
          if (event.type === 'commit') tokens.push(...(event.ids ?? []))
          yield event
        }
      }
      return { draft: (...call) => session.draft(...call), verify, release: () => session.release() }
    },
  }
}

async function readChunks(response: Response, visit: Visit): Promise<unknown[]> {
  const chunks: unknown[] = []
  for await (const { data } of readEvents(response.body!)) {
    if (data === '[DONE]') return chunks
    const chunk: unknown = JSON.parse(data)
    if (v.is(ErrorBody, chunk)) throw failure(chunk, 1)
    chunks.push(chunk)
    visit.event()
    visit.signal.throwIfAborted()
  }
  throw new Error('the stream ended without [DONE]')
}

/** The texts that an answer, or the chunks of one, are made of. */
function texts(parts: readonly unknown[]): Answer[] {
  const choices = parts.flatMap((part) => v.parse(Completion, part).choices)
  const several = Math.max(...choices.map(({ index }) => index)) + 1
  return Array.from({ length: several }, (_, i) => join(choices.filter(({ index }) => index === i)))
}

function join(choices: v.InferOutput<typeof Completion>['choices']): Answer {
  const all = (of: (choice: (typeof choices)[number]) => string): string => choices.map(of).join('')
  return {
    text:
      all(({ message, delta }) => message.reasoning + delta.reasoning) +
      all(({ text, message, delta }) => text + message.content + delta.content),
    tokens: choices.flatMap(({ token_ids }) => token_ids),
    finishReason: choices.findLast(({ finish_reason }) => finish_reason !== null)?.finish_reason ?? 'none',
  }
}

function failure(body: unknown, retryAfterSeconds: number): Error {
  const { code, message } = v.parse(ErrorBody, body).error
  return code === 'overloaded' ? new Refused(message, retryAfterSeconds) : new Error(`${code}: ${message}`)
}
