import type { ChannelState } from '@lookahead/sdk/protocol'
import type { Pair } from '@lookahead/worker/verifiers'
import type { Reduction, Scores } from '../../model/index.ts'
import type { Meter } from '../batching/meter.ts'
import type { Context } from '../contexts.ts'
import { LazyStepContext } from '../judging/step-context.ts'
import type { Engine } from '../engine.ts'
import { distribution } from '../sampling/distribution.ts'
import type { SamplingParameters } from '../sampling/distribution.ts'
import { TokenNoise } from '../sampling/noise.ts'
import type { Guess, SpeculationCounts } from '../speculation/accept.ts'
import { chooseSpeculator } from '../speculation/index.ts'
import type { Speculator } from '../speculation/index.ts'
import { StepWriter } from '../text/step.ts'
import type { DraftStep } from '../text/step.ts'
import type { Alternative, Alternatives } from './alternatives.ts'
import { Branch } from './branch.ts'
import type { VerifyRequest } from './requests.ts'
import type { Leaf, Tree } from './tree.ts'

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
  counts: SpeculationCounts
  /** Is told what forwards took, those of guessing included. */
  meter: Meter
  /** Whether a rejected step ends with the token that the target writes in place of the first rejected one. */
  cuts: boolean
  signal: AbortSignal
}

/** A step's place among the drafted ones, and what is known there. */
export interface StepInput {
  /** In the chain of drafted tokens. */
  start: number
  /** Where the text before it leaves off among the channels. */
  after: ChannelState
  /** The drafted steps it competes with; none for the step after the last draft. */
  alternatives: Alternatives
  /** The drafted step that its guesses come from, if any. */
  guess: DraftStep | undefined
}

/**
 * The target's own version of one step, written once for all the alternatives that were drafted in its place: first what
 * agrees with one of them, then what it writes on a leaf of its own.
 */
export class TargetStep {
  readonly branch: Branch
  readonly writer: StepWriter
  readonly #expansion: Expansion
  readonly #input: StepInput
  readonly #context: LazyStepContext
  /** Where its guesses come from. */
  #guess: DraftStep | undefined

  constructor(expansion: Expansion, input: StepInput) {
    const { context, request, parameters, tree, counts } = expansion
    const { drafted, ngram, draft: most } = request.speculation
    const { start } = input
    const position = context.tokens.length + start
    this.#expansion = expansion
    this.#input = input
    this.#guess = input.guess
    this.#context = new LazyStepContext(context.question, () => {
      const before = [...context.tokens.slice(context.promptLength), ...tree.chain.slice(0, start)]
      return expansion.engine.target.model.tokenizer.decode(before)
    })
    this.writer = stepWriter(expansion, input)
    // Without guesses nothing is gained by drawing otherwise than the draft, and more steps come out alike.
    const coupled = request.coupled ?? (request.sampling.seed !== undefined || (!drafted && ngram === 0 && most === 0))
    this.branch = new Branch({
      tree,
      prefix: start,
      writer: this.writer,
      position,
      distribution: (scores) => distribution(scores, parameters),
      sampler: expansion.engine.sampler(parameters.seed, position, { coupled }),
      counts,
      speculator: (agreed) => this.#speculator(agreed),
    })
  }

  /** @param scores after the first `i` tokens of the drafted step; all but the first are asked for only where they are guesses */
  begin(scores: (i: number) => Scores): void {
    const { draft } = this
    const { guess } = this.#input
    const isGuess = this.#expansion.request.speculation.drafted
    const guesses: Guess[] =
      guess && isGuess ? guess.tokens.map((token, i) => ({ token, q: guess.distributions[i] })) : []
    // Where all of a drafted step proves right, it is the target's own, and ends.
    this.branch.begin(scores, { guesses, bonus: !draft || guesses.length === 0 })
    // Where it parts from the first alternative, it may go the way of another.
    for (const other of isGuess ? this.alternatives.others : []) {
      const { read, guesses: further, isWhole } = other
      if (read && this.branch.adopt(read.leaf, further, read.scores, !isWhole)) this.#guess = other.draft
    }
  }

  /** Takes the first `kept` of the drafted step's own tokens, and goes on from there. */
  beginKept(scores: (i: number) => Scores, kept: number): void {
    const draft = this.draft!
    this.branch.begin(scores, { kept: draft.tokens.slice(0, kept), bonus: kept < draft.tokens.length })
  }

  get start(): number {
    return this.#input.start
  }

  /** The drafted steps it competes with. */
  get alternatives(): Alternatives {
    return this.#input.alternatives
  }

  /** The first of them. */
  get draft(): DraftStep | undefined {
    return this.alternatives.first?.draft
  }

  /** What a verifier rules on. */
  pair({ draft, unlikely }: Alternative): Pair {
    const { halfSteps } = this.writer.rules
    return { draft: { ...draft, unlikely }, target: this.writer, context: this.#context, halfSteps }
  }

  /** Of its tokens, the first that stand in the chain. */
  get agreed(): number {
    return this.branch.agreed
  }

  get leaf(): Leaf {
    return this.branch.leaf
  }

  /** Its tokens that stand whatever becomes of the alternatives that are still open: those that all of them have. */
  get certain(): readonly number[] {
    const { open } = this.alternatives
    if (open.length === 0) return this.writer.tokens
    return this.writer.tokens.slice(0, Math.min(this.agreed, ...open.map(({ shared }) => shared)))
  }

  /** Whether it stands as it is: a draft was accepted in its place, or no draft competes with it any more and it is finished or cut. */
  get settled(): boolean {
    const { first, accepted, open } = this.alternatives
    if (accepted) return true
    return open.length === 0 && (this.writer.ended || (first !== undefined && this.#expansion.cuts))
  }

  /** Guesses the tokens that come next. @param branches that go through the forward together */
  propose(branches: number): Promise<void> {
    const { context, tree, room } = this.#expansion
    const { tokens } = this.writer
    const sequence = [...context.tokens, ...tree.chain.slice(0, this.start), ...tokens]
    return this.branch.propose(sequence, room - this.start - tokens.length - 1, branches)
  }

  /** Gives back what its proposers hold. Further calls do nothing. */
  close(): void {
    this.branch.close()
  }

  #speculator(agreed: number): Speculator {
    const { engine, context, request, parameters, reduced, tree, meter, signal } = this.#expansion
    const guess = this.#guess
    return chooseSpeculator(engine, context.lengths, {
      ...request.speculation,
      drafted: request.speculation.drafted ? guess?.tokens.slice(agreed) : undefined,
      runner: engine.target,
      arrival: tree.lease.priority.nextBranch(),
      salt: context.salt,
      distribution: (scores) => distribution(scores, parameters),
      reduced,
      noise: new TokenNoise(parameters.seed),
      meter,
      signal,
    })
  }
}

function stepWriter({ engine, request, room }: Expansion, { start, after, alternatives }: StepInput): StepWriter {
  const { tokenizer, generation } = engine.target.model
  const { decode, stepRules: rules } = request
  return new StepWriter(tokenizer, {
    rules,
    after,
    steps: alternatives.first ? 1 : decode === 'end' ? Infinity : decode,
    room: room - start,
    endOfText: generation.eosTokenIds,
  })
}
