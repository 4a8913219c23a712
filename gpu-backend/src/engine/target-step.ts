import type { VerifyRequest } from '@lookahead/sdk/protocol'
import type { Reduction, Scores } from '../model/index.ts'
import type { Refusal, Ruling } from './verifier/verdict.ts'
import type { Context } from './contexts.ts'
import { distribution, sample } from './distribution.ts'
import type { Distribution, SamplingParameters } from './distribution.ts'
import type { Engine } from './engine.ts'
import { StepNoise } from './noise.ts'
import { chooseSpeculator } from './proposers/index.ts'
import type { Speculator } from './proposers/index.ts'
import { Random, streams } from './random.ts'
import { accept } from './speculation.ts'
import type { Guess, SpeculationCounts } from './speculation.ts'
import { StepWriter } from './step.ts'
import type { DraftStep } from './step.ts'
import type { Leaf, Tree, Work } from './tree.ts'

/** What the target's steps of one verification have in common. */
export interface Expansion {
  engine: Engine
  context: Context
  request: VerifyRequest
  parameters: SamplingParameters
  reduced: Reduction | undefined
  tree: Tree
  /** Tokens there is room for after the context. */
  room: number
  speculation: SpeculationCounts
  signal: AbortSignal
}

/** A step's place among the drafted ones. */
export interface Place {
  index: number
  /** In the chain of drafted tokens. */
  start: number
  /** The drafted step it competes with; none for the step after the last draft. */
  draft: DraftStep | undefined
  /** The drafted step that its guesses come from, if any. */
  guess: DraftStep | undefined
}

/** The target's own version of one step: first what agrees with the drafted one, then what it writes on a leaf of its own. */
export class TargetStep {
  readonly start: number
  readonly draft: DraftStep | undefined
  /** Tokens so far: the first `agreed` of them stand in the chain, the rest on the leaf. */
  readonly writer: StepWriter
  readonly agreed: number
  readonly leaf: Leaf
  ruling: Ruling | undefined
  /** Why no judge is to be asked about it, if there is a reason. */
  refusal: Refusal | undefined
  readonly #expansion: Expansion
  readonly #random: Random
  /** Draws the step's next token from the target's distribution. */
  readonly #draw: (p: Distribution) => number
  readonly #speculator: Speculator

  /** @param scores after the first `i` tokens of the drafted step; all but the first are asked for only where they are guesses */
  constructor(expansion: Expansion, { index, start, draft, guess }: Place, scores: (i: number) => Scores) {
    const { context, request, parameters, tree } = expansion
    const { drafted, ngram, draft: most } = request.speculation
    this.start = start
    this.draft = draft
    this.writer = stepWriter(expansion, start, draft ? 1 : request.decode)
    this.#expansion = expansion
    this.#random = new Random(parameters.seed, streams.step, context.outputLength + start)
    const noise = new StepNoise(parameters.seed, context.outputLength, index)
    // Drafted tokens carry the noise they were drawn with: where they are guesses, the target must not draw with it too.
    this.#draw = (p) =>
      drafted || ngram > 0 || most > 0 ? sample(p, this.#random.next()) : noise.draw(p, this.writer.tokens.length)
    const guesses = guess && drafted ? guess.tokens.map((token, i) => ({ token, q: guess.distributions[i] })) : []
    // Where all of a drafted step proves right, it is the target's own, and ends.
    this.agreed = this.#accept(guesses, scores, !draft || guesses.length === 0)
    this.leaf = tree.leaf(start + this.agreed)
    this.#speculator = stepSpeculator(expansion, start, drafted ? guess?.tokens.slice(this.agreed) : undefined)
  }

  /** Whether it never guesses. */
  get silent(): boolean {
    return this.#speculator.silent
  }

  /** Whether it stands as it is: the draft was accepted in its place, or it is finished and no draft competes with it any more. */
  get settled(): boolean {
    if (this.ruling?.accepted) return true
    return this.writer.end !== undefined && (this.ruling !== undefined || !this.draft)
  }

  /** Tokens that are not the chain's. */
  get own(): number[] {
    return this.writer.tokens.slice(this.agreed)
  }

  /** Guesses for the tokens that come next. @param texts that go through the forward together */
  guess(texts: number): Promise<Guess[]> {
    const { context, tree, room } = this.#expansion
    const text = [...context.tokens, ...tree.chain.slice(0, this.start), ...this.writer.tokens]
    return this.#speculator.propose(text, room - this.start - this.writer.tokens.length - 1, texts)
  }

  /** What its next forward runs: the last token it wrote, and the guesses after it. */
  work(guesses: readonly Guess[]): Work {
    const { leaf } = this
    return { leaf, tokens: [...this.own.slice(leaf.tokens.length), ...guesses.map(({ token }) => token)] }
  }

  /** The guesses that prove right, and the token after them, become its own. @param scores after each token of that work */
  keep(guesses: readonly Guess[], scores: readonly Scores[]): void {
    const { leaf } = this
    const { tree } = this.#expansion
    const accepted = this.#accept(guesses, (i) => scores[scores.length - guesses.length - 1 + i]!, true)
    this.#speculator.observe(guesses.length, accepted)
    tree.trim(leaf, Math.min(leaf.tokens.length - guesses.length + accepted, this.own.length))
    if (this.writer.end) this.close()
  }

  /** Gives back what its proposers hold. Further calls do nothing. */
  close(): void {
    this.#speculator.close()
  }

  /** @param bonus whether the token after the last guess is drawn too @returns how many guesses proved right */
  #accept(guesses: readonly Guess[], scores: (i: number) => Scores, bonus: boolean): number {
    const { parameters, speculation } = this.#expansion
    const p = (i: number) => distribution(scores(i), parameters)
    const { accepted, next } = accept(guesses, p, this.#random, bonus ? this.#draw : undefined)
    const kept = guesses.slice(0, accepted).filter(({ token }) => this.writer.push(token))
    speculation.add(guesses.length, kept.length)
    if (next !== undefined) this.writer.push(next)
    return accepted
  }
}

/** What guesses the tokens of a step. @param drafted tokens of the drafted step that may be guesses */
export function stepSpeculator(expansion: Expansion, start: number, drafted?: readonly number[]): Speculator {
  const { engine, context, request, parameters, reduced, tree, signal } = expansion
  return chooseSpeculator(engine, {
    ...request.speculation,
    drafted,
    decoder: engine.target,
    lengths: context.lengths,
    seeded: request.sampling.seed !== undefined,
    came: tree.age.part(),
    distribution: (scores) => distribution(scores, parameters),
    reduced,
    random: new Random(parameters.seed, streams.guesses, context.outputLength + start),
    signal,
  })
}

function stepWriter({ engine, request, room }: Expansion, start: number, steps: number | 'end'): StepWriter {
  const { tokenizer, generation } = engine.target.model
  const { delimiter, step_tokens } = request
  const count = steps === 'end' ? Infinity : steps
  return new StepWriter(tokenizer, {
    delimiter,
    steps: count,
    cap: step_tokens * count,
    room: room - start,
    endOfText: generation.eosTokenIds,
  })
}
