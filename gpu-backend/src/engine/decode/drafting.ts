import { channelsThrough } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import type { Context } from '../contexts.ts'
import type { Engine } from '../engine.ts'
import type { Done } from '../events.ts'
import { distribution, reduction, samplingParameters } from '../sampling/distribution.ts'
import type { SamplingParameters } from '../sampling/distribution.ts'
import type { ModelRunner } from '../model-runner.ts'
import { TokenNoise } from '../sampling/noise.ts'
import { SpeculationCounts, couplingSampler } from '../speculation/accept.ts'
import { chooseSpeculator } from '../speculation/index.ts'
import type { Speculator } from '../speculation/index.ts'
import { SharedVocabulary } from '../text/shared-vocabulary.ts'
import { StepWriter, longestStep } from '../text/step.ts'
import type { DraftStep } from '../text/step.ts'
import { Branch, advance } from './branch.ts'
import { DraftAlternatives, withAlternatives } from './draft-alternatives.ts'
import type { Sibling } from './draft-alternatives.ts'
import { DraftWriter } from './draft-writer.ts'
import type { DraftRequest } from './requests.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'
import type { Leaf } from './tree.ts'

/** What the draft model writes after what is committed and drafted already. */
export class Drafting {
  readonly #engine: Engine
  readonly #context: Context
  readonly #request: DraftRequest
  readonly #signal: AbortSignal
  readonly #runner: ModelRunner
  readonly #parameters: SamplingParameters
  readonly #vocabulary: SharedVocabulary
  readonly #timer = new Timer()
  /** Of all finished steps. */
  #tokens = 0
  /** Refutations that it knows of. */
  #seen = 0
  #writing: { start: number; most: number; tree: Tree; branch: Branch; writer: DraftWriter } | undefined
  /** Where the text before the step that is being written leaves off among the channels. */
  #after: ChannelState
  /** Others for the step that is being written. */
  #others: DraftAlternatives | undefined
  /** What it reads first. */
  #sequence: readonly number[] = []
  /** That, and what is written after it. */
  #whole: number[] = []

  constructor(engine: Engine, context: Context, request: DraftRequest, signal: AbortSignal) {
    const { model } = engine.target
    this.#engine = engine
    this.#context = context
    this.#request = request
    this.#after = context.channels
    this.#signal = signal
    this.#runner = engine.requireDraft()
    // As the target is sampled: what draft and target draw alike is accepted.
    this.#parameters = samplingParameters(request.sampling, model.generation, context.seed)
    this.#vocabulary = new SharedVocabulary(this.#runner.model, model.config.vocabSize)
  }

  /** The next step. @returns undefined where what it hangs on was refuted meanwhile; 'full' where there is no room for it */
  async step(): Promise<DraftStep | 'full' | undefined> {
    const { drafts } = this.#context
    const { start, writer } = this.#upToDate()
    if (start + writer.tokens.length >= this.#runner.capacity) return 'full'
    this.#after = this.#channelState
    this.#whole = [...this.#sequence, ...writer.tokens]
    writer.beginStep()
    const others = (this.#others = this.#alternatives())
    const before = this.#timer.ms('draft')
    using _ = this.#runner.beginDrafting()
    while (!(writer.ended && others.open.length === 0) && this.#isOfUse) {
      await this.#timer.time('draft', () => this.#forward())
      this.#signal.throwIfAborted()
    }
    drafts.ms += this.#timer.ms('draft') - before
    const written = others.steps
    others.close()
    if (!this.#isOfUse) return undefined
    const step = writer.draftStep
    for (const { tokens } of [step, ...written]) this.#tokens += tokens.length
    return withAlternatives(step, written)
  }

  /** Whether what it writes hangs on what stands, and the text goes on. */
  get #isOfUse(): boolean {
    const { refutations, isOver } = this.#context.drafts
    return refutations === this.#seen && !(this.#request.follow && isOver)
  }

  done(): Done {
    const { tree, branch } = this.#writing ?? {}
    if (branch?.isBegun) tree?.commit(0, branch.leaf)
    const timer = this.#timer
    return {
      type: 'done',
      promptTokens: this.#context.promptLength,
      completionTokens: this.#tokens,
      work: {
        totalMs: timer.total,
        draftMs: timer.ms('draft'),
        targetMs: 0,
        judgeMs: 0,
        promptMs: tree?.reading.ms ?? 0,
        forwards: timer.count('draft'),
      },
    }
  }

  close(): void {
    this.#writing?.tree.release()
  }

  /** Goes on from what is committed and drafted: where what it wrote was refuted, from what stands in its place. */
  #upToDate(): { start: number; writer: DraftWriter } {
    const { drafts, tokens } = this.#context
    const sequence = [...tokens, ...drafts.steps.flatMap((step) => step.tokens)]
    if (!this.#writing) this.#writing = this.#begin(sequence)
    else this.#writing.branch.follow(sequence.slice(this.#writing.start))
    this.#seen = drafts.refutations
    return this.#writing
  }

  /** Where what is committed and drafted leaves off among the channels. */
  get #channelState(): ChannelState {
    const { drafts } = this.#context
    const committed = this.#context.channelState(this.#runner.model.tokenizer)
    return drafts.steps.reduce((channels, { text }) => channelsThrough(channels, text), committed)
  }

  #begin(sequence: readonly number[]) {
    const { capacity } = this.#runner
    const { depth, follow, stepRules: rules } = this.#request
    const start = sequence.length
    const most = follow ? capacity - start : (depth + this.#width - 1) * longestStep(rules)
    const tree = new Tree(this.#runner, {
      signal: this.#signal,
      meter: this.#context.drafts.meter,
      salt: this.#context.salt,
      most,
      reduced: this.#vocabulary.reduced(reduction(this.#width > 1 ? this.#parametersOfOthers : this.#parameters)),
    })
    this.#sequence = sequence
    return { start, most, tree, ...this.#writer(tree, start, this.#parameters) }
  }

  /** Writes steps after `position` tokens of text. */
  #writer(
    tree: Tree,
    position: number,
    parameters: SamplingParameters,
    { alternative = 0, prefix = 0, leaf }: { alternative?: number; prefix?: number; leaf?: Leaf } = {},
  ): Sibling {
    const { model, capacity } = this.#runner
    const writer = new DraftWriter(
      (written) =>
        new StepWriter(model.tokenizer, {
          rules: this.#request.stepRules,
          after: this.#after,
          room: capacity - position - written,
          endOfText: model.generation.eosTokenIds,
        }),
    )
    const noise = new TokenNoise(parameters.seed, alternative)
    const branch = new Branch({
      tree,
      prefix,
      leaf,
      writer,
      position,
      distribution: (scores) => writer.drawsFrom(distribution(this.#vocabulary.scores(scores), parameters)),
      // The same steps whatever is guessed.
      sampler: couplingSampler(noise),
      counts: new SpeculationCounts(),
      speculator: () => this.#speculator(tree, noise, parameters),
    })
    return { branch, writer }
  }

  /** Guesses what the draft writes itself. */
  #speculator(tree: Tree, noise: TokenNoise, parameters: SamplingParameters): Speculator {
    const { drafts, salt } = this.#context
    return chooseSpeculator(this.#engine, drafts.lengths, {
      ngram: this.#request.speculation.ngram,
      draft: 0,
      runner: this.#runner,
      arrival: tree.lease.priority.nextBranch(),
      salt,
      distribution: (scores) => distribution(this.#vocabulary.scores(scores), parameters),
      reduced: undefined,
      noise,
      meter: drafts.meter,
      signal: this.#signal,
    })
  }

  /** For the step that is to be written, as many as there is surely room for beside it. */
  #alternatives(): DraftAlternatives {
    const { start, tree, branch, writer } = this.#writing!
    const prefix = writer.tokens.length
    const fit = Math.floor((this.#runner.capacity - start - prefix) / longestStep(this.#request.stepRules))
    const count = Math.max(0, Math.min(this.#width, fit) - 1)
    return new DraftAlternatives(tree, () =>
      Array.from({ length: count }, (_, i) => {
        const leaf = tree.leaf(prefix, { on: branch.leaf })
        return this.#writer(tree, start + prefix, this.#parametersOfOthers, { alternative: i + 1, prefix, leaf })
      }),
    )
  }

  get #width(): number {
    return this.#request.follow ? this.#context.drafts.width : this.#request.width
  }

  /** At temperature 0 all would be the same: there the others are drawn at 1, every time alike. */
  get #parametersOfOthers(): SamplingParameters {
    const { temperature } = this.#parameters
    return temperature > 0
      ? this.#parameters
      : { ...this.#parameters, temperature: 1, seed: this.#request.sampling.seed ?? 0 }
  }

  async #forward(): Promise<void> {
    const { start, most, tree, branch, writer } = this.#writing!
    const others = this.#others!
    if (branch.isBegun) {
      const open = [...(writer.ended ? [] : [branch]), ...others.open]
      if (!writer.ended) {
        const room = Math.min(most, this.#runner.capacity - start) - writer.tokens.length - 1
        this.#whole.push(...writer.tokens.slice(this.#whole.length - start))
        await branch.propose(this.#whole, room, open.length)
      }
      await advance(tree, open)
    } else {
      const [scores] = await tree.prefill(this.#sequence, [], [0])
      this.#context.drafts.read(tree.reading)
      branch.begin(() => scores!)
    }
    others.begin(writer.first)
  }
}
