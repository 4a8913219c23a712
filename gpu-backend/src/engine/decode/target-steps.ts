import { channelsThrough } from '@lookahead/sdk/protocol'
import type { Verifier } from '@lookahead/worker/verifiers'
import type { Scores } from '../../model/index.ts'
import { giveTurn, needsTurn } from '../../model/pace.ts'
import type { VerifyEvent } from '../events.ts'
import { keptOf, ruleOf } from '../judging/ask.ts'
import { likelyTokens, tellingLikely } from '../judging/likelihood.ts'
import { sum } from '../memory/token-tree.ts'
import { distribution } from '../sampling/distribution.ts'
import { Alternatives, BesideChain, verdictsOn } from './alternatives.ts'
import type { DraftedChain } from './drafted-chain.ts'
import { TargetStep } from './target-step.ts'
import type { Expansion } from './target-step.ts'
import type { Timer } from './timer.ts'

/** The target's version of every drafted step, and of one step more; and which of them may still be committed. */
export class TargetSteps {
  readonly #expansion: Expansion
  readonly #chain: DraftedChain
  readonly #verifier: Verifier
  readonly #steps: TargetStep[] = []
  /** Verdicts given. */
  #ruled = 0

  constructor(expansion: Expansion, chain: DraftedChain, verifier: Verifier) {
    this.#expansion = expansion
    this.#chain = chain
    this.#verifier = verifier
  }

  /** One forward over all drafted tokens; where the target would have written them, they are its own. */
  async open(timer: Timer): Promise<void> {
    const { context, engine, parameters, reduced: usual, request, tree } = this.#expansion
    const { steps, rest, others, tokens, starts } = this.#chain
    const verifier = this.#verifier
    const { leastLogprob = -Infinity } = verifier
    const isGated = steps.length > 0 && leastLogprob > -Infinity
    const isRead = request.speculation.drafted || isGated || (steps.length > 0 && verifier.kept !== undefined)
    const wanted = isRead ? [...tokens.keys(), tokens.length] : starts
    const reduced = isGated ? tellingLikely(usual, leastLogprob) : usual
    const places = starts.map((start, i) => ({ start, alternatives: new Alternatives(steps[i], others[i]) }))
    const beside = new BesideChain(tree, isRead ? places : [])
    const rows = await timer.time('target', () => tree.prefill(context.tokens, tokens, wanted, reduced, beside.leaves))
    const all = new Map(wanted.map((n, i) => [n, rows[i]!]))
    beside.read(rows.slice(wanted.length))
    let after = context.channelState(engine.target.model.tokenizer)
    for (const { start, alternatives } of places) {
      const scores = (i: number): Scores => all.get(start + i)!
      const draft = alternatives.first?.draft
      const step = new TargetStep(this.#expansion, { start, after, alternatives, guess: draft ?? rest })
      if (draft) after = channelsThrough(after, draft.text)
      this.#steps.push(step)
      if (needsTurn()) await giveTurn()
      /** How many of a step's first tokens stand by themselves; undefined for a verifier that wants the target's own version. */
      const keptBy = (own: readonly number[], at: (i: number) => Scores) =>
        keptOf(verifier, own, (i) => distribution(at(i), parameters))
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

  /** Steps that may still be committed: up to the first of which the first alternative is rejected. */
  get committable(): TargetStep[] {
    const first = this.#steps.findIndex((step) => step.alternatives.isFirstRejected)
    return first < 0 ? this.#steps : this.#steps.slice(0, first + 1)
  }

  /** Whether no committable step can change any more. */
  get decided(): boolean {
    return this.committable.every((step) => step.settled)
  }

  /** Output tokens that no later verdict can change. */
  get certain(): number[] {
    const tokens: number[] = []
    for (const { alternatives, certain } of this.committable) {
      const { accepted } = alternatives
      if (!accepted) return [...tokens, ...certain]
      tokens.push(...accepted.draft.tokens)
    }
    return tokens
  }

  /** Verdicts in the steps' order, each as soon as those before it are given. */
  *verdicts(): Generator<VerifyEvent> {
    const verdicts = verdictsOn(this.committable.map(({ alternatives }) => alternatives))
    yield* verdicts.slice(this.#ruled)
    this.#ruled = verdicts.length
  }

  /** Whether a step has been rejected. */
  get rejects(): boolean {
    return this.committable.at(-1)?.alternatives.isFirstRejected === true
  }

  /** Drafted tokens that stand. */
  get kept(): number {
    return sum(this.committable.map(({ alternatives, agreed }) => alternatives.accepted?.draft.tokens.length ?? agreed))
  }

  /** What hangs on a rejected step is nobody's. */
  closeVoid(): void {
    for (const step of this.#steps.slice(this.committable.length)) step.close()
  }

  close(): void {
    for (const step of this.#steps) step.close()
  }
}
