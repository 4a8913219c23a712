import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Context as ContextRef, Sampling } from '@lookahead/sdk/protocol'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { ModelError } from '../checkpoint/index.ts'
import type { WeightType } from '../graph/index.ts'
import { Model } from '../model/index.ts'
import { Judge } from '../verifier/judge.ts'
import { Context, ContextStore } from './contexts.ts'
import type { SamplingParameters } from './distribution.ts'
import type { Decoder } from './sequence.ts'
import { SlotPool } from './slots.ts'

export interface EngineOptions {
  /** Folder with a checkpoint each in `target/` and, unless they are to be done without, `draft/` and `judge/`. */
  models: string
  /** Token slots of each model's pool. Default 16,384. */
  slots?: number | undefined
  /** Threads of each model's forwards. Default: ONNX Runtime's choice. */
  threads?: number | undefined
  /** How each model's linear layers are kept and multiplied. Default fp32. */
  weights?: WeightType | undefined
  /** Idle contexts are dropped after this many milliseconds. Default 60,000. */
  contextIdleMs?: number | undefined
}

/** The three models, their slot pools, and the contexts they know. */
export class Engine {
  readonly target: Decoder
  readonly draft: Decoder | undefined
  readonly judge: Judge | undefined
  readonly contexts: ContextStore
  /** Milliseconds that the target takes for one token of plain decoding, lately; undefined before the first. */
  tokenMs: number | undefined
  readonly #sweep: NodeJS.Timeout

  /** @throws {ModelError} when the target is missing or any checkpoint is broken */
  static async load(options: EngineOptions): Promise<Engine> {
    const { models, slots = 16_384, threads, weights, contextIdleMs = 60_000 } = options
    if (!existsSync(models)) throw new ModelError('not_found', `no model folder at ${models}: give one with --models`)
    const load = (role: string): Promise<Model> => Model.load(path.join(models, role), { slots, threads, weights })
    const present = (role: string): boolean => existsSync(path.join(models, role))
    const target = await load('target')
    const draft = present('draft') ? await load('draft') : undefined
    const judge = present('judge') ? await load('judge') : undefined
    return new Engine(target, draft, judge, contextIdleMs)
  }

  private constructor(target: Model, draft: Model | undefined, judge: Model | undefined, contextIdleMs: number) {
    this.contexts = new ContextStore(contextIdleMs)
    this.target = this.#decoder(target)
    this.draft = draft && this.#decoder(draft)
    this.judge = judge && new Judge(this.#decoder(judge))
    this.#sweep = setInterval(() => this.contexts.dropExpired(), contextIdleMs / 4).unref()
  }

  get decoders(): { role: 'target' | 'draft' | 'judge'; decoder: Decoder }[] {
    return [
      { role: 'target' as const, decoder: this.target },
      ...(this.draft ? [{ role: 'draft' as const, decoder: this.draft }] : []),
      ...(this.judge ? [{ role: 'judge' as const, decoder: this.judge.decoder }] : []),
    ]
  }

  /**
   * The context a request names, made first if the request says how.
   * @throws {ProtocolError} 409 `context_lost`; 400 `context_length_exceeded`
   */
  context(request: ContextRef): Context {
    if (request.length !== undefined) return this.contexts.get(request.id, request.length)
    const { tokenizer, config } = this.target.model
    const text = request.prompt ?? tokenizer.renderChat(request.messages ?? [], { addGenerationPrompt: true })
    const prompt = { tokens: tokenizer.encode(text), thinking: text.trimEnd().endsWith('<think>') }
    const length = prompt.tokens.length + (request.output?.length ?? 0)
    const limit = config.maxPositions
    const param = request.prompt === undefined ? 'context.messages' : 'context.prompt'
    if (length === 0) throw new ProtocolError(400, 'invalid_request', `${param}: the prompt is empty`, { param })
    if (length >= limit)
      throw new ProtocolError(
        400,
        'context_length_exceeded',
        `the model holds ${limit} tokens, and the prompt has ${length} already: shorten it to ${limit - 1} or fewer`,
        { param },
      )
    if (request.output?.some((token) => token >= config.vocabSize))
      throw new ProtocolError(400, 'invalid_request', 'context.output: not a token id of this model', {
        param: 'context.output',
      })
    const decoders = { target: this.target, draft: this.draft }
    const context = new Context(request.id, prompt, request.output ?? [], decoders)
    this.contexts.put(context)
    return context
  }

  /** What is left out comes from the model's generation_config.json, then is neutral; the seed is the context's own. */
  sampling(request: Sampling, context: Context): SamplingParameters {
    const { generation } = this.target.model
    return {
      temperature: request.temperature ?? generation.temperature ?? 1,
      topK: request.top_k ?? generation.topK ?? 0,
      topP: request.top_p ?? generation.topP ?? 1,
      minP: request.min_p ?? 0,
      seed: request.seed ?? context.seed,
    }
  }

  tokenTook(ms: number): void {
    this.tokenMs = this.tokenMs === undefined ? ms : 0.95 * this.tokenMs + 0.05 * ms
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const { decoder } of this.decoders) decoder.model.close()
  }

  #decoder(model: Model): Decoder {
    const pool = new SlotPool(model.slots)
    const take = (n: number): number[] => {
      for (;;) {
        const slots = pool.take(n)
        if (slots) return slots
        if (!this.contexts.dropOldest())
          throw new ProtocolError(429, 'overloaded', 'all token slots are in use: try again shortly', { retryAfter: 1 })
      }
    }
    return { model, pool, take }
  }
}
