/** One OpenAI-compatible server, asked again where that may help. */
import { Watchdog, parseRetryAfter, readEvents, retry } from '@lookahead/sdk/protocol'
import type { Sampling } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { errorText, parseJson } from '../error-text.ts'
import { failure, refusal, silent } from './failure.ts'
import type { Role } from './failure.ts'
import { Chunk, Refusal } from './wire.ts'

export interface ServerOptions {
  /** Where it listens: `http://host:8000`, with or without `/v1`, or a cloud's address as its documents give it. */
  url: string
  model: string
  apiKey?: string | undefined
}

export interface Link {
  /** How long it may be silent. Milliseconds; default 60,000. */
  timeoutMs?: number | undefined
  fetch?: typeof fetch | undefined
}

/** What a server may be asked for beyond what OpenAI's own has: found by `probe.ts`. */
export interface Manner {
  /** Takes the fields of vLLM and SGLang, or leaves them unread. OpenAI's own refuses them. */
  extensions: boolean
  /** Goes on with several prompts in one call. */
  batch: boolean
}

export interface Writing {
  maxTokens: number
  sampling: Sampling
  /** Moves the seed, so that not every step is drawn with the same noise. */
  seedOffset?: number
  /** Ends a text, and stays part of it where the server can leave it there. */
  stop?: readonly string[]
  /** The prompt was rendered by a template, which has put the beginning of text already. */
  isRendered?: boolean
}

/** What came of one of the texts. */
export interface Piece {
  /** Which prompt it goes on from. */
  branch: number
  text: string
  /** Of an engine that tells them. */
  ids: readonly number[] | undefined
  /** `stop`: the end of the text, or a stop string; `length`: no more tokens were asked for. */
  end: 'stop' | 'length' | undefined
  /** The stop string that ended it, of an engine that tells. */
  stop: string | undefined
}

const RETRIES = 2
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 60_000

export class Server {
  readonly role: Role
  readonly model: string
  /** Like no other server's. */
  readonly key: string
  readonly #base: string
  /** The address without `/v1`, where engines have what OpenAI has not. */
  readonly #root: string
  readonly #headers: Record<string, string>
  readonly #timeoutMs: number
  readonly #fetch: typeof fetch

  constructor(role: Role, { url, model, apiKey }: ServerOptions, { timeoutMs = 60_000, fetch }: Link = {}) {
    const { base, root } = addressesOf(url)
    this.role = role
    this.model = model
    this.key = JSON.stringify([role, base, model, apiKey])
    this.#base = base
    this.#root = root
    this.#headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey ?? 'none'}` }
    this.#timeoutMs = timeoutMs
    // workerd refuses a `fetch` that is called as a method of something else.
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init))
  }

  /**
   * Goes on with each prompt, in one call where the server can.
   * @throws {UpstreamError}; the signal's reason
   */
  write(
    prompts: readonly (string | number[])[],
    writing: Writing,
    manner: Manner,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined>[] {
    if (manner.batch || prompts.length === 1) return [this.#stream(prompts, writing, manner, signal)]
    return prompts.map((prompt, branch) => moved(this.#stream([prompt], writing, manner, signal), branch))
  }

  async *#stream(
    prompts: readonly (string | number[])[],
    writing: Writing,
    { extensions }: Manner,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined> {
    const body = { ...this.#fields(prompts, writing), ...(extensions && extended(writing)) }
    const quiet = () => new UpstreamError('idle', `the ${this.role} went silent`, { retryable: true })
    try {
      const { response, watchdog } = await this.#post('/completions', body, signal)
      const events = readEvents(response.body ?? new Blob([]).stream())
      const open = new Set(prompts.keys())
      try {
        while (open.size > 0) {
          const { done, value } = await watchdog.wait(() => events.next(), this.#timeoutMs, quiet)
          if (done || value.data === '[DONE]')
            throw new UpstreamError('stream_cut', `the ${this.role} broke off`, { retryable: true })
          for (const piece of piecesOf(this.#chunk(value.data))) {
            if (piece.end) open.delete(piece.branch)
            yield piece
          }
        }
      } finally {
        await events.return()
      }
    } catch (error) {
      signal.throwIfAborted()
      throw failure(this.role, 'stream_cut', error)
    }
  }

  /**
   * One answer. @param path of OpenAI's (`/chat/completions`), or with `root:` one of the engine's own (`root:/tokenize`)
   * @throws {UpstreamError}; the signal's reason
   */
  async ask<Schema extends v.GenericSchema>(
    path: string,
    body: object,
    schema: Schema,
    signal: AbortSignal,
  ): Promise<v.InferOutput<Schema>> {
    try {
      const { response, watchdog } = await this.#post(path, { model: this.model, ...body }, signal)
      const text = await watchdog.wait(
        () => response.text(),
        this.#timeoutMs,
        () => silent(this.role),
      )
      return this.#parsed(schema, parseJson(text))
    } catch (error) {
      signal.throwIfAborted()
      throw failure(this.role, 'stream_cut', error)
    }
  }

  /** An answer with a good status, whose body is to be read. @throws {UpstreamError}; the signal's reason */
  #post(path: string, body: object, signal: AbortSignal): Promise<{ response: Response; watchdog: Watchdog }> {
    const url = path.startsWith('root:') ? this.#root + path.slice('root:'.length) : this.#base + path
    const init = { method: 'POST', headers: this.#headers, body: JSON.stringify(body) }
    const attempt = async () => {
      const watchdog = new Watchdog(signal)
      const answer = () => this.#fetch(url, { ...init, signal: watchdog.signal })
      const response = await watchdog
        .wait(answer, this.#timeoutMs, () => silent(this.role))
        .catch((error: unknown) => {
          signal.throwIfAborted()
          throw failure(this.role, 'unreachable', error)
        })
      if (!response.ok) throw await this.#refusal(response)
      return { response, watchdog }
    }
    return retry(attempt, { signal, delay: delayAfter })
  }

  async #refusal(response: Response): Promise<UpstreamError> {
    const text = await errorText(response)
    const told = v.safeParse(Refusal, parseJson(text))
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'))
    return refusal(this.role, told.success ? told.output : text, { status: response.status, retryAfterMs })
  }

  #fields(
    prompts: readonly (string | number[])[],
    { maxTokens, sampling, seedOffset = 0, stop = [] }: Writing,
  ): object {
    const { temperature, top_p, seed } = sampling
    return {
      model: this.model,
      prompt: prompts.length === 1 ? prompts[0] : prompts,
      max_tokens: maxTokens,
      temperature,
      top_p,
      seed: seed === undefined ? undefined : seed + seedOffset,
      stop: stop.length > 0 ? stop : undefined,
      stream: true,
    }
  }

  #chunk(data: string): v.InferOutput<typeof Chunk> {
    const told = parseJson(data)
    if (told === undefined)
      throw new UpstreamError('stream_cut', `what the ${this.role} says is garbled`, { retryable: true })
    const refused = v.safeParse(Refusal, told)
    if (refused.success) throw refusal(this.role, refused.output)
    return this.#parsed(Chunk, told)
  }

  #parsed<Schema extends v.GenericSchema>(schema: Schema, told: unknown): v.InferOutput<Schema> {
    const parsed = v.safeParse(schema, told)
    if (parsed.success) return parsed.output
    throw new UpstreamError('bad_answer', `the ${this.role} answers in a form that is not known here`, {
      cause: v.summarize(parsed.issues),
    })
  }
}

/** As OpenAI's own client waits: what `Retry-After` says, up to a minute, else 0.5 s · 2ⁿ, less up to a quarter at random. */
function delayAfter(error: unknown, failures: number): number | undefined {
  if (!(error instanceof UpstreamError && error.retryable) || failures >= RETRIES) return undefined
  const { retryAfterMs } = error
  if (retryAfterMs !== undefined && retryAfterMs <= MAX_DELAY_MS) return retryAfterMs
  return FIRST_DELAY_MS * 2 ** failures * (1 - Math.random() / 4)
}

/** vLLM (`include_stop_str_in_output`), SGLang (`no_stop_trim`), and both. */
const extended = ({ sampling, isRendered }: Writing): object => ({
  top_k: sampling.top_k,
  min_p: sampling.min_p,
  return_token_ids: true,
  include_stop_str_in_output: true,
  no_stop_trim: true,
  ...(isRendered && { add_special_tokens: false }),
})

function* piecesOf({ choices }: v.InferOutput<typeof Chunk>): Generator<Piece, void, undefined> {
  for (const { index, text, finish_reason, stop_reason, matched_stop, stopping_word, token_ids } of choices) {
    const stop = [stop_reason, matched_stop, stopping_word].find((said) => typeof said === 'string')
    const end = finish_reason ? (finish_reason === 'length' ? 'length' : 'stop') : undefined
    yield { branch: index, text: text ?? '', ids: token_ids ?? undefined, end, stop: stop }
  }
}

async function* moved(pieces: AsyncIterable<Piece>, branch: number): AsyncGenerator<Piece, void, undefined> {
  for await (const piece of pieces) yield { ...piece, branch }
}

export function addressesOf(url: string): { base: string; root: string } {
  const base = url.replace(/\/+$/, '')
  const root = base.replace(/\/v1$/, '')
  return { base: new URL(base).pathname === '/' ? `${base}/v1` : base, root }
}
