import type { FinishReason, VerifyEvent, VerifyRequest } from '@lookahead/sdk/protocol'
import { isLikely, tellingLikely } from './verifier/likelihood.ts'
import { giveTurn, needsTurn } from '../model/pace.ts'
import { judged, ruleExactly, ruleWithoutJudge, unjudged } from './verifier/verdict.ts'
import type { Ruling } from './verifier/verdict.ts'
import type { Scores } from '../model/index.ts'
import { CertainOutput } from './certain-output.ts'
import type { Context } from './contexts.ts'
import { opening } from './draft.ts'
import { reduction, samplingParameters } from './distribution.ts'
import { draftedChain } from './drafted-chain.ts'
import type { DraftedChain } from './drafted-chain.ts'
import type { Engine } from './engine.ts'
import { SpeculationCounts } from './speculation.ts'
import type { Guess } from './speculation.ts'
import { TargetStep, stepSpeculator } from './target-step.ts'
import type { Expansion } from './target-step.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'

/**
 * Lookahead Reasoning's verification (arXiv 2506.19830, Algorithm 1): the target writes its own version of every drafted
 * step, each after the drafted steps before it, and of one step more, all in one packed batch; the verifier rules; the
 * steps up to the first rejected one are kept, and the target's version stands in that one's place.
 */
export class Verification {
  readonly #engine: Engine
  readonly #context: Context
  readonly #request: VerifyRequest
  readonly #signal: AbortSignal
  readonly #tree: Tree
  readonly #output: CertainOutput
  readonly #chain: DraftedChain
  readonly #expansion: Expansion
  readonly #timer = new Timer()
  readonly #speculation = new SpeculationCounts()
  readonly #steps: TargetStep[] = []
  /** Verdicts given. */
  #ruled = 0

  constructor(engine: Engine, context: Context, request: VerifyRequest, signal: AbortSignal) {
    const { capacity, model } = engine.target
    this.#engine = engine
    this.#context = context
    this.#request = request
    this.#signal = signal
    const room = Math.min(request.max_tokens, capacity - context.tokens.length)
    this.#output = new CertainOutput(context.text(model.tokenizer, request.stop), room)
    this.#chain = draftedChain(engine.target, context, request, room)
    const parameters = samplingParameters(request.sampling, model.generation, context.seed)
    const reduced = reduction(parameters)
    this.#tree = new Tree(engine.target, { signal, most: this.#chain.most, reduced })
    this.#expansion = {
      engine,
      context,
      request,
      parameters,
      reduced,
      tree: this.#tree,
      room,
      speculation: this.#speculation,
      signal,
    }
  }

  async *run(): AsyncGenerator<VerifyEvent, void, undefined> {
    yield opening(this.#context)
    try {
      await this.#open()
      for (;;) {
        await this.#rule()
        yield* this.#verdicts()
        this.#output.grow(this.#certain())
        if (this.#output.stopped || this.#decided) break
        yield* this.#output.deltas()
        await this.#advance()
        this.#signal.throwIfAborted()
      }
      yield* this.#commit()
    } finally {
      for (const step of this.#steps) step.close()
      this.#tree.release()
    }
  }

  /** One forward over all drafted tokens; where the target would have written them, they are its own. */
  async #open(): Promise<void> {
    const { steps, rest, tokens, starts } = this.#chain
    const { verifier, speculation } = this.#request
    const { judge, leastLogprob } = this.#engine
    const gated = steps.length > 0 && verifier === 'judge' && judge !== undefined && leastLogprob > -Infinity
    const wanted = speculation.drafted || gated ? [...tokens.keys(), tokens.length] : starts
    const reduced = gated ? tellingLikely(this.#expansion.reduced, leastLogprob) : this.#expansion.reduced
    const rows = await this.#timer.time('target', () =>
      this.#tree.prefill(this.#context.tokens, tokens, wanted, reduced),
    )
    const all = new Map(wanted.map((n, i) => [n, rows[i]!]))
    for (const [index, start] of starts.entries()) {
      const draft = steps[index]
      const scores = (i: number): Scores => all.get(start + i)!
      const step = new TargetStep(this.#expansion, { index, start, draft, guess: draft ?? rest }, scores)
      this.#steps.push(step)
      if (!judge) step.refusal = 'no_judge'
      else if (gated && draft && step.agreed < draft.tokens.length) {
        if (needsTurn()) await giveTurn()
        if (!draft.tokens.every((token, i) => isLikely(scores(i), token, leastLogprob))) step.refusal = 'unlikely'
      }
    }
  }

  /** One packed forward: every open step gets its next token, and the guesses after it that prove right. */
  async #advance(): Promise<void> {
    // A step that came as text may be accepted where the target's own would go on.
    const open = this.#standing.filter((step) => !step.writer.end && !step.settled)
    const guesses = await this.#guess(open)
    const work = open.map((step, i) => step.work(guesses[i]!))
    const scores = await this.#timer.time('target', () => this.#tree.advance(work))
    for (const [i, step] of open.entries()) step.keep(guesses[i]!, scores[i]!)
  }

  /** Guesses for all these steps, made at the same time. */
  async #guess(open: readonly TargetStep[]): Promise<Guess[][]> {
    if (open.every((step) => step.silent)) return open.map(() => [])
    const guesses = await this.#timer.time('draft', () =>
      Promise.allSettled(open.map((step) => step.guess(open.length))),
    )
    // No one may still be at work when the slots are given back, so all are waited for before one's failure counts.
    return guesses.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  /** Rules on every step that can be ruled; the judge is asked about all that need it in one forward. */
  async #rule(): Promise<void> {
    const { verifier } = this.#request
    const unclear: { step: TargetStep; target: string; draft: string }[] = []
    for (const step of this.#standing) {
      const { draft, writer } = step
      if (step.ruling || !draft) continue
      step.ruling = verifier === 'exact' ? ruleExactly(draft, writer) : ruleWithoutJudge(draft, writer, step.refusal)
      if (!step.ruling && writer.end && verifier === 'judge')
        unclear.push({ step, target: writer.text, draft: draft.text })
    }
    const rulings = unclear.length > 0 ? await this.#judge(unclear) : []
    for (const [i, { step }] of unclear.entries()) step.ruling = rulings[i]!
    for (const step of this.#steps.slice(this.#standing.length)) step.close()
  }

  async #judge(pairs: { target: string; draft: string }[]): Promise<Ruling[]> {
    try {
      return (await this.#timer.time('judge', () => this.#engine.judge!.rule(pairs, this.#signal))).map(judged)
    } catch (error) {
      this.#signal.throwIfAborted()
      console.error('the judge failed:', error)
      return pairs.map(() => unjudged)
    }
  }

  /** Steps that may still be committed: up to the first rejected one. */
  get #standing(): TargetStep[] {
    const rejected = this.#steps.findIndex((step) => step.ruling?.accepted === false)
    return rejected < 0 ? this.#steps : this.#steps.slice(0, rejected + 1)
  }

  /** Whether no standing step can change any more. */
  get #decided(): boolean {
    return this.#standing.every((step) => step.settled)
  }

  /** Output tokens that no later verdict can change. */
  #certain(): number[] {
    const tokens: number[] = []
    for (const { draft, writer, agreed, ruling } of this.#standing) {
      if (draft && ruling?.accepted) tokens.push(...draft.tokens)
      else return [...tokens, ...(draft && !ruling ? writer.tokens.slice(0, agreed) : writer.tokens)]
    }
    return tokens
  }

  /** Verdicts in the steps' order, each as soon as those before it are given. */
  *#verdicts(): Generator<VerifyEvent> {
    for (const step of this.#standing.slice(this.#ruled)) {
      if (!step.ruling) return
      yield { type: 'verdict', index: this.#ruled++, ...step.ruling }
    }
  }

  /** What is certain now becomes context; what of it stands in slots already keeps them. */
  *#commit(): Generator<VerifyEvent> {
    const output = this.#output
    const { tokens } = output
    const standing = this.#standing
    const last = standing.at(-1)!
    const isRejection = !last.ruling?.accepted
    const finish = this.#finish()
    if (finish) output.end()
    yield* output.deltas({ all: true })
    this.#tree.commit(
      isRejection ? last.start + last.agreed : this.#tree.chain.length,
      isRejection ? last.leaf : undefined,
    )
    this.#context.tokens.push(...tokens)
    this.#context.drafts.clear()
    yield {
      type: 'commit',
      accepted: standing.filter((step) => step.ruling?.accepted).length,
      text: output.text,
      tokens,
      correction: isRejection ? this.#correction(last) : '',
      finish_reason: finish,
    }
    yield this.#done(tokens.length)
  }

  /** As far as it comes before a stop string. */
  #correction({ writer }: TargetStep): string {
    const accepted = this.#standing.reduce(
      (sum, { draft, ruling }) => sum + (ruling?.accepted ? draft!.text.length : 0),
      0,
    )
    return writer.text.slice(0, Math.max(0, this.#output.text.length - accepted))
  }

  #finish(): FinishReason | null {
    const { tokens, stopped, isFull } = this.#output
    const { eosTokenIds } = this.#engine.target.model.generation
    if (stopped || eosTokenIds.includes(tokens.at(-1) ?? -1)) return 'stop'
    return isFull ? 'length' : null
  }

  #done(completionTokens: number): VerifyEvent {
    const timer = this.#timer
    const { measured } = this.#engine.target.batcher
    const { drafts, proposed, accepted, perPosition, meanLength } = this.#speculation
    return {
      type: 'done',
      usage: { prompt_tokens: this.#context.promptLength, completion_tokens: completionTokens },
      timings: {
        total_ms: timer.total,
        draft_ms: timer.ms('draft'),
        target_ms: timer.ms('target'),
        judge_ms: timer.ms('judge'),
        forwards: timer.count('target'),
        token_ms: measured.measured ? measured.cost(1, 1) / stepSpeculator(this.#expansion, 0).gain : undefined,
      },
      speculation: {
        drafts,
        proposed,
        accepted,
        accepted_per_position: perPosition,
        mean_length: meanLength,
      },
    }
  }
}
