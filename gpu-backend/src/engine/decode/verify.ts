import type { FinishReason } from '@lookahead/sdk/protocol'
import type { Pair, Ruling, Verifier } from '@lookahead/worker/verifiers'
import { ruleOf, rulingsOf } from '../judging/ask.ts'
import { advance } from './branch.ts'
import { CertainOutput } from './certain-output.ts'
import type { Context } from '../contexts.ts'
import { opened } from './draft.ts'
import { reduction, samplingParameters } from '../sampling/distribution.ts'
import { draftedChain, namedSteps } from './drafted-chain.ts'
import type { VerifyRequest } from './requests.ts'
import { Meter } from '../batching/meter.ts'
import type { Engine } from '../engine.ts'
import type { Done, VerifyEvent } from '../events.ts'
import { SpeculationCounts } from '../speculation/accept.ts'
import type { DraftStep } from '../text/step.ts'
import type { TargetStep } from './target-step.ts'
import { TargetSteps } from './target-steps.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'

/** What is verified. */
export interface Drafted {
  steps: readonly DraftStep[]
  /** More steps are drafted meanwhile: where all are accepted, the target writes none after them. */
  goesOn: boolean
  /** A rejected step is cut where the verifier lets it be: the draft goes on from there. Default: no. */
  cuts?: boolean
}

/** One verification, of the steps that the request names. */
export async function* verifySteps(
  engine: Engine,
  context: Context,
  request: VerifyRequest,
  signal: AbortSignal,
): AsyncGenerator<VerifyEvent, void, undefined> {
  yield opened(context)
  const drafted = { steps: await namedSteps(engine.target, context, request, signal), goesOn: false }
  const verification = new Verification(engine, context, request, drafted, signal)
  yield* verification.run()
  yield verification.done
}

/**
 * Lookahead Reasoning's verification (arXiv 2506.19830, Algorithm 1): the target writes its own version of every drafted
 * step, each after the drafted steps before it, and of one step more, all in one packed batch; the verifier rules; the
 * steps up to the first rejected one are kept, and the target's version stands in that one's place, unless another drafted
 * for the same place is accepted.
 */
export class Verification {
  readonly #engine: Engine
  readonly #context: Context
  readonly #verifier: Verifier
  readonly #signal: AbortSignal
  readonly #tree: Tree
  readonly #output: CertainOutput
  readonly #timer = new Timer()
  readonly #counts = new SpeculationCounts()
  readonly #meter = new Meter()
  /** Of the draft model, where a text that also drafts would count as two. */
  readonly #guessing = new Meter()
  readonly #steps: TargetSteps
  /** Whether the draft knows that a step has been rejected. */
  #isRefuted = false

  constructor(engine: Engine, context: Context, request: VerifyRequest, drafted: Drafted, signal: AbortSignal) {
    const { capacity, model } = engine.target
    this.#engine = engine
    this.#context = context
    this.#verifier = engine.verifier(request.verifier, request.threshold)
    this.#signal = signal
    const room = Math.min(request.maxTokens, capacity - context.tokens.length)
    this.#output = new CertainOutput(context.text(model.tokenizer, request), room)
    const { steps, goesOn, cuts = false } = drafted
    const chain = draftedChain(engine.target, context, request, { drafted: steps, goesOn, room })
    const parameters = samplingParameters(request.sampling, model.generation, context.seed)
    const reduced = reduction(parameters)
    const { salt } = context
    this.#tree = new Tree(engine.target, { signal, salt, meter: this.#meter, most: chain.most, reduced })
    const expansion = {
      engine,
      context,
      request,
      parameters,
      reduced,
      tree: this.#tree,
      room,
      counts: this.#counts,
      meter: this.#guessing,
      cuts: cuts && this.#verifier.cuts === true,
      signal,
    }
    this.#steps = new TargetSteps(expansion, chain, this.#verifier)
  }

  /** The verdicts, the text as it becomes certain, and one commit. */
  async *run(): AsyncGenerator<VerifyEvent, void, undefined> {
    try {
      await this.#steps.open(this.#timer)
      for (;;) {
        await this.#rule()
        yield* this.#steps.verdicts()
        this.#output.grow(this.#steps.certain)
        if (this.#output.stopped || this.#steps.decided) break
        // Who goes on from what was told must not go on behind the end of the text.
        if (!this.#finish()) yield* this.#output.deltas()
        await this.#advance()
        this.#signal.throwIfAborted()
      }
      yield* this.#commit()
    } finally {
      this.#steps.close()
      this.#tree.release()
    }
  }

  /** One packed forward: every open step gets its next token, and the guesses after it that prove right. */
  async #advance(): Promise<void> {
    // A step that came as text may be accepted where the target's own would go on.
    const open = this.#steps.committable.filter((step) => !step.writer.ended && !step.settled)
    await this.#propose(open)
    const branches = open.map((step) => step.branch)
    await this.#timer.time('target', () => advance(this.#tree, branches))
  }

  /** Guesses for all these steps, made at the same time. */
  async #propose(open: readonly TargetStep[]): Promise<void> {
    if (!open.some((step) => step.branch.canGuess())) return
    const proposed = await this.#timer.time('draft', () =>
      Promise.allSettled(open.map((step) => step.propose(open.length))),
    )
    // No one may still be at work when the slots are given back, so all are waited for before one's failure counts.
    const failed = proposed.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Rules on every step that can be ruled; whoever has to be asked is asked about all of them at once. */
  async #rule(): Promise<void> {
    for (const step of this.#steps.committable)
      for (const one of step.alternatives.open) one.ruling = ruleOf(this.#verifier, step.pair(one))
    const unclear = this.#steps.committable.flatMap((step) =>
      step.writer.ended ? step.alternatives.open.map((one) => ({ one, pair: step.pair(one) })) : [],
    )
    const rulings = unclear.length > 0 ? await this.#ask(unclear.map(({ pair }) => pair)) : []
    for (const [i, { one }] of unclear.entries()) one.ruling = rulings[i]
    this.#steps.closeVoid()
    if (this.#steps.rejects && !this.#isRefuted) {
      this.#isRefuted = true
      this.#context.drafts.refute()
    }
  }

  #ask(pairs: readonly Pair[]): Promise<Ruling[]> {
    const limits = { ms: this.#engine.verifierTimeoutMs, signal: this.#signal }
    return this.#timer.time('judge', () => rulingsOf(this.#verifier, pairs, limits))
  }

  /** What is certain now becomes context; what of it stands in slots already keeps them. */
  *#commit(): Generator<VerifyEvent> {
    const output = this.#output
    const { tokens } = output
    const { committable: steps, kept } = this.#steps
    const undecided = steps.findIndex(({ alternatives }) => !alternatives.accepted)
    // Where the text has ended in a step that nobody has ruled on yet, those after it are void.
    const count = undecided < 0 ? steps.length : undecided
    const last = steps[undecided < 0 ? count - 1 : undecided]!
    const { accepted, first } = last.alternatives
    if (this.#finish()) output.end()
    // A stop string may have come to light at the very end.
    const finish = this.#finish()
    if (accepted) this.#tree.commit(last.start + accepted.shared, accepted.leaf)
    else this.#tree.commit(last.start + last.agreed, last.leaf)
    const reasoningTokens = this.#context.commit(this.#engine.target.model.tokenizer, tokens)
    const goesOn = accepted !== undefined && accepted === first && !finish
    this.#context.drafts.commit(count, { goesOn, kept })
    if (finish) this.#context.drafts.end()
    yield {
      type: 'commit',
      accepted: count,
      steps: count + (accepted ? 0 : last.writer.steps),
      text: output.text,
      tokens,
      reasoningTokens,
      correction: accepted ? '' : this.#correction(steps.slice(0, count), last),
      finish,
    }
  }

  /** What comes after the accepted steps, as far as it comes before a stop string. */
  #correction(before: readonly TargetStep[], { writer }: TargetStep): string {
    const accepted = before.reduce(
      (length, { alternatives }) => length + (alternatives.accepted?.draft.text.length ?? 0),
      0,
    )
    return writer.text.slice(0, Math.max(0, this.#output.lengthBeforeStop - accepted))
  }

  /** Whether the text has ended with it. */
  get isLast(): boolean {
    return this.#finish() !== undefined
  }

  #finish(): FinishReason | undefined {
    const { tokens, stopped, isFull } = this.#output
    const { eosTokenIds } = this.#engine.target.model.generation
    if (stopped || eosTokenIds.includes(tokens.at(-1) ?? -1)) return 'stop'
    return isFull ? 'length' : undefined
  }

  /** What it took. */
  get done(): Done {
    const timer = this.#timer
    const { ms, load } = this.#meter
    const { reading } = this.#tree
    const { drafts, proposed, accepted, perPosition, meanLength } = this.#counts
    return {
      type: 'done',
      promptTokens: this.#context.promptLength,
      completionTokens: this.#output.tokens.length,
      work: {
        totalMs: timer.total,
        draftMs: timer.ms('draft'),
        targetMs: timer.ms('target'),
        judgeMs: timer.ms('judge'),
        promptMs: reading.ms,
        waitMs: timer.ms('draft'),
        shareMs: ms - reading.shareMs + this.#guessing.ms + timer.ms('judge'),
        load,
        forwards: timer.count('target'),
      },
      speculation: { drafts, proposed, accepted, perPosition, meanLength },
    }
  }
}
