/** An OpenAI-compatible server, asked again where that may help, or another one of the same model. */
import { readEvents } from '@lookahead/sdk/protocol'
import type { Sampling } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Address } from '../addresses.ts'
import { parseJson, textWithin } from '../error-text.ts'
import { failure, refusal, silent } from './failure.ts'
import type { Role } from './failure.ts'
import { Transport } from './transport.ts'
import type { ConnectionOptions, ServerOptions } from './transport.ts'
import { modelsIn } from './model-list.ts'
import type { AwayEvents } from './away-events.ts'
import type { Piece } from './piece.ts'
import { StreamCheck } from './stream-check.ts'
import { Chunk, Refusal } from './wire.ts'

/** What a server may be asked for beyond what OpenAI's own has: found by `probe.ts`. */
export interface ApiFeatures {
  /** Takes the fields of vLLM and SGLang, or leaves them unread. OpenAI's own refuses them. */
  extensions: boolean
  /** Goes on with several prompts in one call. */
  batch: boolean
  /** Tells ids only beside log probabilities, so these are asked for. Default: no. */
  logprobs?: boolean
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

/** Our own backend takes no more in a call. */
const MOST_PROMPTS = 128

/** Of an answer that is read as a whole: the scores of 16,000 tokens, each with the likeliest 20, are shorter. */
const MOST_CHARACTERS = 2 ** 25

/** Like that of no other server. */
export const keyOf = (role: Role, { url, model, apiKey }: ServerOptions): string =>
  JSON.stringify([role, [url].flat(), model, apiKey])

export class Server {
  readonly role: Role
  readonly model: string
  /** Like no other server's. */
  readonly key: string
  /** Keeps texts of other salts out of its prefix cache: a field of vLLM, SGLang and our own backend. */
  readonly salted: { cache_salt?: string }
  readonly #transport: Transport
  readonly #timeoutMs: number

  constructor(
    role: Role,
    options: ServerOptions,
    { timeoutMs = 60_000, cacheSalt, ...connection }: ConnectionOptions = {},
  ) {
    this.role = role
    this.model = options.model
    this.key = keyOf(role, options)
    this.salted = cacheSalt === undefined ? {} : { cache_salt: cacheSalt }
    this.#transport = new Transport(role, options, { ...connection, timeoutMs })
    this.#timeoutMs = timeoutMs
  }

  /** Whether what failed last is asked of another one from now on, which does well. */
  get isElsewhere(): boolean {
    return this.#transport.isElsewhere
  }

  /** That it is away, or calls went on at another one. */
  get awayEvents(): AwayEvents {
    return this.#transport.awayEvents
  }

  /**
   * Goes on with each prompt, in one call: more than one only of a server that takes several (`inCalls`).
   * @throws {UpstreamError}; the signal's reason
   */
  async *write(
    prompts: readonly (string | number[])[],
    writing: Writing,
    { extensions, logprobs }: ApiFeatures,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined> {
    const fields = this.#fields(prompts, writing)
    const body = {
      ...fields,
      ...(extensions && { ...extended(writing), ...this.salted }),
      ...(logprobs && { logprobs: 1 }),
    }
    const quiet = () => new UpstreamError('idle', `the ${this.role} went silent`, { retryable: true })
    const { response, watchdog, at } = await this.#transport.post('/completions', body, signal)
    try {
      at.calls++
      const events = readEvents(response.body ?? new Blob([]).stream())
      const check = new StreamCheck(this.role, prompts.length, writing.maxTokens)
      try {
        let left = this.#timeoutMs
        while (!check.isOver) {
          const asked = Date.now()
          const { done, value } = await watchdog.wait(() => events.next(), left, quiet)
          if (done || value.data === '[DONE]')
            throw new UpstreamError('stream_cut', `the ${this.role} broke off`, { retryable: true })
          const pieces = [...piecesOf(this.#chunk(value.data))].filter((piece) => check.take(piece))
          left = pieces.some(isProgress) ? this.#timeoutMs : Math.max(1, left - (Date.now() - asked))
          yield* pieces
        }
      } finally {
        await events.return()
      }
    } catch (error) {
      throw this.#broken(at, error, signal)
    } finally {
      at.calls--
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
    const { response, watchdog, at } = await this.#transport.post(path, { model: this.model, ...body }, signal)
    try {
      const text = await watchdog.wait(
        () => textWithin(response, MOST_CHARACTERS),
        this.#timeoutMs,
        () => silent(this.role),
      )
      if (text === undefined) throw new UpstreamError('bad_answer', `the ${this.role} answers more than was asked for`)
      return this.#parsed(schema, parseJson(text))
    } catch (error) {
      throw this.#broken(at, error, signal)
    }
  }

  /** Tokens that a text of its model may have, where it says so. @throws the signal's reason */
  async context(signal: AbortSignal): Promise<number | undefined> {
    try {
      const listed = await modelsIn(await this.#transport.models(signal))
      return listed?.find(({ id }) => id === this.model)?.max_model_len || undefined
    } catch {
      signal.throwIfAborted()
      return undefined
    }
  }

  /** What broke off an answer that had begun; another one is asked next, where there is one. @throws the signal's reason */
  #broken(at: Address, error: unknown, signal: AbortSignal): UpstreamError {
    signal.throwIfAborted()
    const failed = failure(this.role, 'stream_cut', error)
    if (failed.retryable) this.#transport.leave(at, failed)
    return failed
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
      seed: seed === undefined ? undefined : seedAt(seed, seedOffset),
      stop: stop.length > 0 ? stop : undefined,
      stream: true,
    }
  }

  #chunk(data: string): v.InferOutput<typeof Chunk> {
    const told = parseJson(data)
    if (told === undefined)
      throw new UpstreamError('stream_cut', `what the ${this.role} says is garbled`, { retryable: true })
    // llama-server begins so, where it is given several prompts.
    if (told === null) return { choices: [], usage: null }
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

/** Engines take whole numbers from 0 up to here, and some read -1 as none. */
const SEEDS = 2 ** 31
const seedAt = (seed: number, offset: number): number => ((seed % SEEDS) + offset + SEEDS) % SEEDS

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
  for (const { index, text, finish_reason, stop_reason, matched_stop, stopping_word, token_ids, logprobs } of choices) {
    const ids = token_ids ?? logprobs?.content.map(({ id }) => id)
    const stop = [stop_reason, matched_stop, stopping_word].find((said) => typeof said === 'string')
    const end = finish_reason ? (finish_reason === 'length' ? 'length' : 'stop') : undefined
    yield { branch: index, text: text ?? '', ids, end, stop }
  }
}

/** Whether the text gets on: chunks that say nothing keep no call open. */
const isProgress = ({ text, ids = [], end }: Piece): boolean => text !== '' || ids.length > 0 || end !== undefined

/** What may be sent in a call each. */
export function inCalls<Prompt>(prompts: readonly Prompt[], { batch }: ApiFeatures): Prompt[][] {
  const most = batch ? MOST_PROMPTS : 1
  return Array.from({ length: Math.ceil(prompts.length / most) }, (_, i) => prompts.slice(i * most, (i + 1) * most))
}
