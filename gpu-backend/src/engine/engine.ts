import { channelsAfter } from '@lookahead/sdk/protocol'
import { availableParallelism } from 'node:os'
import type { SentenceEncoder } from '../model/index.ts'
import { verifiers } from '@lookahead/worker/verifiers'
import type { Verifier } from '@lookahead/worker/verifiers'
import { EngineError } from './errors.ts'
import { Forced } from './forced.ts'
import type { ForcedAcceptance } from './forced.ts'
import { embeddingOf } from './judging/embedding.ts'
import type { EmbeddingOptions } from './judging/embedding.ts'
import type { Judge } from './judging/judge.ts'
import { Scorer } from './judging/scorer.ts'
import { LEAST_LOGPROB } from './judging/likelihood.ts'
import { Context, ContextStore } from './contexts.ts'
import type { ContextRef } from './contexts.ts'
import { loadModels } from './load-models.ts'
import type { ModelOptions, Models, Role } from './load-models.ts'
import type { ModelRunner, RunnerStats } from './model-runner.ts'
import { assertTokens, chatChannels, encode, outputRoom, renderChat } from './text/prompt.ts'
import { proposers } from './speculation/index.ts'
import type { ProposerKind } from './speculation/index.ts'
import { targetSampler } from './speculation/accept.ts'
import type { Sampler } from './speculation/accept.ts'
import { MeasuredForwards, measuredCosts } from './speculation/costs.ts'
import type { Costs } from './speculation/costs.ts'

export interface EngineOptions extends ModelOptions, EmbeddingOptions {
  /** A verifier that is asked and has not answered after so many milliseconds has failed. Default 30,000. */
  verifierTimeoutMs?: number | undefined
  /** Verifiers beside the engine's own; they replace those of the same name. */
  verifiers?: readonly Verifier[] | undefined
  /** Ways of guessing tokens, beside the engine's own, which come after them. */
  proposers?: readonly ProposerKind[] | undefined
  /** Benchmarks only: acceptance is drawn at these rates, whatever the models say. `serve` refuses it. */
  forced?: ForcedAcceptance | undefined
  /** Idle contexts are dropped after this many milliseconds. Default 60,000. */
  contextIdleMs?: number | undefined
}

export interface ContextOptions {
  signal?: AbortSignal | undefined
  /** The call's name, where another call brings the same context and both work on it. */
  joinsAs?: string | undefined
  /** Only texts of the same salt share what was run of a new context. Default: ''. */
  salt?: string | undefined
}

/** Cores that draft and target cannot share out among them. */
const FEW_CORES = 2

/** The three models, each with its pool and its batcher, and the contexts they know. */
export class Engine {
  readonly target: ModelRunner
  readonly draft: ModelRunner | undefined
  readonly judge: Judge | undefined
  /** Of the verifier `embedding`. */
  readonly encoder: SentenceEncoder | undefined
  readonly contexts: ContextStore
  /** The ways of guessing tokens, in the order in which they are asked. */
  readonly proposers: readonly ProposerKind[]
  /** What guesses of the draft took, lately, with all that goes with them. */
  readonly guesses = new MeasuredForwards()
  readonly verifierTimeoutMs: number
  readonly #verifiers: ReadonlyMap<string, Verifier>
  readonly #overlaps: boolean
  readonly #forced: Forced | undefined
  readonly #sweep: NodeJS.Timeout

  /**
   * @throws {ModelError} when the target or a draft asked for by name is missing, any checkpoint is broken, target and draft have different tokens, the
   * judge cannot judge, or the memory holds too few slots; the signal's reason if it was aborted
   */
  static async load(options: EngineOptions): Promise<Engine> {
    const models = await loadModels(options)
    const others = [...embeddingOf(models.encoder, options), ...(options.verifiers ?? [])]
    return new Engine(models, { ...options, verifiers: others })
  }

  private constructor({ target, draft, judge, encoder }: Models, options: EngineOptions) {
    const { contextIdleMs = 60_000, verifierTimeoutMs = 30_000, proposers: first = [] } = options
    const { leastLogprob = LEAST_LOGPROB, rules, verifiers: others } = options
    this.contexts = new ContextStore(contextIdleMs)
    this.target = target
    this.draft = draft
    this.judge = judge
    this.encoder = encoder
    this.verifierTimeoutMs = verifierTimeoutMs
    this.proposers = [...first, ...proposers]
    this.#overlaps = options.device === 'cuda' || availableParallelism() > FEW_CORES || target.model.leavesCore
    target.batcher.leaveCoreWhile(() => draft?.isDrafting === true)
    const ask = judge && ((...asked: Parameters<Judge['rule']>) => judge.rule(...asked))
    this.#verifiers = verifiers({ ask, leastLogprob, rules, score: new Scorer(target).rate }, others)
    this.#forced = options.forced && new Forced(options.forced)
    this.#sweep = setInterval(() => this.contexts.dropExpired(), contextIdleMs / 4).unref()
  }

  /**
   * Whether drafting while the target verifies gains more than it costs. Where both want all of the same few cores, it does
   * not: measured on two, they are as fast in turns, and what is drafted in vain is lost.
   */
  get overlaps(): boolean {
    return this.#overlaps
  }

  /** @throws {EngineError} `no_draft_model` */
  requireDraft(): ModelRunner {
    if (this.draft) return this.draft
    throw new EngineError('no_draft_model', 'this backend serves no draft model: ask for mode ar or sd, or add one')
  }

  get verifierNames(): string[] {
    return [...this.#verifiers.keys()]
  }

  /**
   * @param threshold as strict as this. Default: as strict as it is by itself
   * @throws {EngineError} `invalid_request` when there is none of this name, or it takes no threshold
   */
  verifier(name: string, threshold?: number): Verifier {
    const verifier = this.#verifiers.get(name)
    if (verifier) {
      const chosen =
        threshold === undefined ? verifier : withThreshold(verifier, threshold, [...this.#verifiers.values()])
      return this.#forced?.verifier(chosen) ?? chosen
    }
    const allowed = this.verifierNames
    throw new EngineError('invalid_request', `verifier: there is no "${name}": there are ${allowed.join(', ')}`, {
      param: 'verifier',
      allowed,
    })
  }

  /** How the target draws tokens from `position` on, and keeps guesses. */
  sampler(...[seed, position, options]: Parameters<typeof targetSampler>): Sampler {
    return this.#forced?.sampler ?? targetSampler(seed, position, options)
  }

  /** What a forward of this model and a guess of the draft take, lately. */
  costsOf({ batcher }: ModelRunner): Costs {
    return measuredCosts(batcher.measured, this.guesses)
  }

  get runners(): { role: Role; runner: ModelRunner }[] {
    return [
      { role: 'target' as const, runner: this.target },
      ...(this.draft ? [{ role: 'draft' as const, runner: this.draft }] : []),
      ...(this.judge ? [{ role: 'judge' as const, runner: this.judge.runner }] : []),
    ]
  }

  /** What each model is doing and has done. */
  get stats(): Partial<Record<Role, RunnerStats>> {
    return Object.fromEntries(this.runners.map(({ role, runner }) => [role, runner.stats]))
  }

  /**
   * The context a request names, made first if the request says how.
   * @throws {EngineError} `context_lost`; `context_length_exceeded`; `invalid_request` for what is no prompt; the signal's reason
   */
  async context(request: ContextRef, { signal, joinsAs, salt = '' }: ContextOptions = {}): Promise<Context> {
    if (request.length !== undefined || request.continues) return this.contexts.get(request.id, request.length)
    const { id, prompt, messages = [], output = [] } = request
    const param = prompt === undefined ? 'context.messages' : 'context.prompt'
    const options = { addGenerationPrompt: true }
    const text = prompt ?? renderChat(this.target, messages, options, param)
    const tokens = await encode(this.target, text, param, { fenced: prompt === undefined, signal })
    outputRoom(this.target, tokens.length + output.length, undefined, param)
    assertTokens(this.target, output, 'context.output')
    const channels =
      prompt === undefined ? chatChannels(this.target, text, messages, options, param) : channelsAfter(prompt)
    const question = prompt ?? messages.findLast(({ role }) => role === 'user')?.content ?? ''
    const context = new Context(id, { tokens, channels, question, salt }, output)
    if (joinsAs !== undefined) return this.contexts.join(context, joinsAs)
    this.contexts.put(context)
    return context
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const { runner } of this.runners) runner.model.close()
    this.encoder?.close()
  }
}

/** @throws {EngineError} `invalid_request`, with those that do, when it takes none */
function withThreshold(verifier: Verifier, threshold: number, all: readonly Verifier[]): Verifier {
  if (verifier.withThreshold) return verifier.withThreshold(threshold)
  const names = all
    .filter((other) => other.withThreshold !== undefined)
    .map(({ name }) => name)
    .join(', ')
  const message = `threshold: "${verifier.name}" takes none: leave it out, or name a verifier that does: ${names}`
  throw new EngineError('invalid_request', message, { param: 'threshold' })
}
