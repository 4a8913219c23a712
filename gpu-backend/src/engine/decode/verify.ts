import { channelsThrough } from '@lookahead/sdk/protocol'
import type { FinishReason, VerifyRequest } from '@lookahead/sdk/protocol'
import type { Pair, Ruling, Verifier } from '@lookahead/worker/verifiers'
import { keptOf, ruleOf, rulingsOf } from '../judging/ask.ts'
import { likelyTokens, tellingLikely } from '../judging/likelihood.ts'
import { giveTurn, needsTurn } from '../../model/pace.ts'
import type { Scores } from '../../model/index.ts'
import { advance } from './branch.ts'
import { CertainOutput } from './certain-output.ts'
import type { Context } from '../contexts.ts'
import { Alternatives, BesideChain, verdictsOn } from './alternatives.ts'
import { opened } from './draft.ts'
import { distribution, reduction, samplingParameters } from '../sampling/distribution.ts'
import { draftedChain, namedSteps } from './drafted-chain.ts'
import type { DraftedChain } from './drafted-chain.ts'
import { Meter } from '../batching/meter.ts'
import type { Engine } from '../engine.ts'
import type { Done, VerifyEvent } from '../events.ts'
import { SpeculationCounts } from '../speculation/accept.ts'
import { sum } from '../memory/token-tree.ts'
import type { DraftStep } from '../text/step.ts'
import { TargetStep } from './target-step.ts'
import type { Expansion } from './target-step.ts'
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
  readonly #request: VerifyRequest
  readonly #verifier: Verifier
  readonly #signal: AbortSignal
  readonly #tree: Tree
  readonly #output: CertainOutput
  readonly #chain: DraftedChain
  readonly #expansion: Expansion
  readonly #timer = new Timer()
  readonly #counts = new SpeculationCounts()
  readonly #meter = new Meter()
  readonly #steps: TargetStep[] = []
  /** Verdicts given. */
  #ruled = 0
  /** Whether the draft knows that a step has been rejected. */
  #isRefuted = false

  constructor(engine: Engine, context: Context, request: VerifyRequest, drafted: Drafted, signal: AbortSignal) {
    const { capacity, model } = engine.target
    this.#engine = engine
    this.#context = context
    this.#request = request
    this.#verifier = engine.verifier(request.verifier, request.threshold)
    this.#signal = signal
    const room = Math.min(request.max_tokens, capacity - context.tokens.length)
    this.#output = new CertainOutput(context.text(model.tokenizer, request), room)
    const { steps, goesOn, cuts = false } = drafted
    this.#chain = draftedChain(engine.target, context, request, { drafted: steps, goesOn, room })
    const parameters = samplingParameters(request.sampling, model.generation, context.seed)
    const reduced = reduction(parameters)
    const { salt } = context
    this.#tree = new Tree(engine.target, { signal, salt, meter: this.#meter, most: this.#chain.most, reduced })
    this.#expansion = {
      engine,
      context,
      request,
      parameters,
      reduced,
      tree: this.#tree,
      room,
      counts: this.#counts,
      meter: this.#meter,
      cuts: cuts && this.#verifier.cuts === true,
      signal,
    }
  }

  /** The verdicts, the text as it becomes certain, and one commit. */
  async *run(): AsyncGenerator<VerifyEvent, void, undefined> {
    try {
      await this.#open()
      for (;;) {
        await this.#rule()
        yield* this.#verdicts()
        this.#output.grow(this.#certain())
        if (this.#output.stopped || this.#decided) break
        // Who goes on from what was told must not go on behind the end of the text.
        if (!this.#finish()) yield* this.#output.deltas()
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
    const { steps, rest, others, tokens, starts } = this.#chain
    const verifier = this.#verifier
    const { leastLogprob = -Infinity } = verifier
    const isGated = steps.length > 0 && leastLogprob > -Infinity
    const isRead = this.#request.speculation.drafted || isGated || (steps.length > 0 && verifier.kept !== undefined)
    const wanted = isRead ? [...tokens.keys(), tokens.length] : starts
    const reduced = isGated ? tellingLikely(this.#expansion.reduced, leastLogprob) : this.#expansion.reduced
    const places = starts.map((start, i) => ({ start, alternatives: new Alternatives(steps[i], others[i]) }))
    const beside = new BesideChain(this.#tree, isRead ? places : [])
    const rows = await this.#timer.time('target', () =>
      this.#tree.prefill(this.#context.tokens, tokens, wanted, reduced, beside.leaves),
    )
    const all = new Map(wanted.map((n, i) => [n, rows[i]!]))
    beside.read(rows.slice(wanted.length))
    let after = this.#context.standing(this.#engine.target.model.tokenizer)
    for (const { start, alternatives } of places) {
      const scores = (i: number): Scores => all.get(start + i)!
      const draft = alternatives.first?.draft
      const step = new TargetStep(this.#expansion, { start, after, alternatives, guess: draft ?? rest })
      if (draft) after = channelsThrough(after, draft.text)
      this.#steps.push(step)
      if (needsTurn()) await giveTurn()
      /** How many of a step's first tokens stand by themselves; undefined for a verifier that wants the target's own version. */
      const keptBy = (own: readonly number[], at: (i: number) => Scores) =>
        keptOf(verifier, own, (i) => distribution(at(i), this.#expansion.parameters))
      const kept = draft && keptBy(draft.tokens, scores)
      if (kept === undefined) step.begin(scores)
      else step.beginKept(scores, kept)
      for (const one of alternatives.all) {
        const { tokens: own } = one.draft
        const at = (i: number) => one.scores(i, scores)
        if (kept !== undefined) one.unlikely = (one.draft === draft ? kept : keptBy(own, at)!) < own.length
        else if (isGated && !(draft === one.draft && step.agreed === own.length))
          one.unlikely = likelyTokens(own, at, leastLogprob) < own.length
        one.ruling = ruleOf(verifier, step.pair(one))
        if (alternatives.accepted) break
      }
      alternatives.forget()
      // What hangs on a rejected step is nobody's.
      if (alternatives.isFirstRejected) break
    }
  }

  /** One packed forward: every open step gets its next token, and the guesses after it that prove right. */
  async #advance(): Promise<void> {
    // A step that came as text may be accepted where the target's own would go on.
    const open = this.#standing.filter((step) => !step.writer.ended && !step.settled)
    await this.#propose(open)
    const branches = open.map((step) => step.branch)
    await this.#timer.time('target', () => advance(this.#tree, branches))
  }

  /** Guesses for all these steps, made at the same time. */
  async #propose(open: readonly TargetStep[]): Promise<void> {
    if (open.every((step) => step.branch.silent)) return
    const proposed = await this.#timer.time('draft', () =>
      Promise.allSettled(open.map((step) => step.propose(open.length))),
    )
    // No one may still be at work when the slots are given back, so all are waited for before one's failure counts.
    const failed = proposed.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Rules on every step that can be ruled; whoever has to be asked is asked about all of them at once. */
  async #rule(): Promise<void> {
    for (const step of this.#standing)
      for (const one of step.alternatives.open) one.ruling = ruleOf(this.#verifier, step.pair(one))
    const unclear = this.#standing.flatMap((step) =>
      step.writer.ended ? step.alternatives.open.map((one) => ({ one, pair: step.pair(one) })) : [],
    )
    const rulings = unclear.length > 0 ? await this.#ask(unclear.map(({ pair }) => pair)) : []
    for (const [i, { one }] of unclear.entries()) one.ruling = rulings[i]
    for (const step of this.#steps.slice(this.#standing.length)) step.close()
    if (this.#rejects && !this.#isRefuted) {
      this.#isRefuted = true
      this.#context.drafts.refute()
    }
  }

  /** Whether a step has been rejected. */
  get #rejects(): boolean {
    return this.#standing.at(-1)?.alternatives.isFirstRejected === true
  }

  #ask(pairs: readonly Pair[]): Promise<Ruling[]> {
    const limits = { ms: this.#engine.verifierTimeoutMs, signal: this.#signal }
    return this.#timer.time('judge', () => rulingsOf(this.#verifier, pairs, limits))
  }

  /** Steps that may still be committed: up to the first of which the first alternative is rejected. */
  get #standing(): TargetStep[] {
    const first = this.#steps.findIndex((step) => step.alternatives.isFirstRejected)
    return first < 0 ? this.#steps : this.#steps.slice(0, first + 1)
  }

  /** Whether no standing step can change any more. */
  get #decided(): boolean {
    return this.#standing.every((step) => step.settled)
  }

  /** Output tokens that no later verdict can change. */
  #certain(): number[] {
    const tokens: number[] = []
    for (const { alternatives, certain } of this.#standing) {
      const { accepted } = alternatives
      if (!accepted) return [...tokens, ...certain]
      tokens.push(...accepted.draft.tokens)
    }
    return tokens
  }

  /** Verdicts in the steps' order, each as soon as those before it are given. */
  *#verdicts(): Generator<VerifyEvent> {
    const verdicts = verdictsOn(this.#standing.map(({ alternatives }) => alternatives))
    yield* verdicts.slice(this.#ruled)
    this.#ruled = verdicts.length
  }

  /** What is certain now becomes context; what of it stands in slots already keeps them. */
  *#commit(): Generator<VerifyEvent> {
    const output = this.#output
    const { tokens } = output
    const standing = this.#standing
    const last = standing.at(-1)!
    const { accepted, first } = last.alternatives
    if (this.#finish()) output.end()
    // A stop string may have come to light at the very end.
    const finish = this.#finish()
    if (accepted) this.#tree.commit(last.start + accepted.shared, accepted.leaf)
    else this.#tree.commit(last.start + last.agreed, last.leaf)
    const reasoningTokens = this.#context.commit(this.#engine.target.model.tokenizer, tokens)
    const count = standing.filter(({ alternatives }) => alternatives.accepted).length
    const goesOn = accepted !== undefined && accepted === first && !finish
    this.#context.drafts.commit(count, { goesOn, kept: this.#kept })
    if (finish) this.#context.drafts.end()
    yield {
      type: 'commit',
      accepted: count,
      steps: count + (accepted ? 0 : last.writer.steps),
      text: output.text,
      tokens,
      reasoningTokens,
      correction: accepted ? '' : this.#correction(last),
      finish,
    }
  }

  /** Drafted tokens that stand. */
  get #kept(): number {
    return sum(this.#standing.map(({ alternatives, agreed }) => alternatives.accepted?.draft.tokens.length ?? agreed))
  }

  /** As far as it comes before a stop string. */
  #correction({ writer }: TargetStep): string {
    const accepted = this.#standing.reduce(
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
        shareMs: ms + timer.ms('judge'),
        load,
        forwards: timer.count('target'),
      },
      speculation: { drafts, proposed, accepted, perPosition, meanLength },
    }
  }
}
