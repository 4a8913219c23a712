import { randomUUID } from 'node:crypto'
import { channelsThrough, longestStep } from '@lookahead/sdk/protocol'
import type { ChannelState, DraftRequest } from '@lookahead/sdk/protocol'
import type { Context } from '../contexts.ts'
import type { Engine } from '../engine.ts'
import type { Done, DraftEvent, Opened } from '../events.ts'
import { distribution, reduction, samplingParameters } from '../sampling/distribution.ts'
import type { Distribution, SamplingParameters } from '../sampling/distribution.ts'
import type { ModelRunner } from '../model-runner.ts'
import { TokenNoise } from '../sampling/noise.ts'
import { SpeculationCounts, couplingSampler } from '../speculation/accept.ts'
import { SharedVocabulary } from '../text/shared-vocabulary.ts'
import { StepWriter } from '../text/step.ts'
import type { DraftStep } from '../text/step.ts'
import { Branch, advance } from './branch.ts'
import type { Writer } from './branch.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'

/**
 * The draft model writes steps after the context, one event each as soon as it is finished: `depth` of them, or to follow what
 * is committed, as long as the text goes on, as many ahead of it as a verification wants.
 */
export async function* draft(
  engine: Engine,
  context: Context,
  request: DraftRequest,
  signal: AbortSignal,
): AsyncGenerator<DraftEvent, void, undefined> {
  const { drafts } = context
  const { depth, follow } = request
  if (!follow) drafts.clear()
  const drafting = new Drafting(engine, context, request, signal)
  const leave = drafts.enter()
  yield opened(context)
  try {
    let index = 0
    while (follow ? await drafts.wanted(signal) : index < depth) {
      const step = await drafting.step()
      if (step === 'full') break
      if (!step) continue
      drafts.add(step)
      // Those who follow hear of it from the call that verifies it: nobody need read this one for them to come.
      if (follow) continue
      yield { type: 'step', id: step.id, index: index++, text: step.text, tokens: step.tokens.length, end: step.end }
      if (step.end === 'text') break
    }
    yield drafting.done()
  } finally {
    leave()
    drafting.close()
  }
}

/** What the draft model writes after what is committed and drafted already. */
class Drafting {
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
  #writing: { start: number; tree: Tree; branch: Branch; writer: DraftWriter } | undefined
  /** What it reads first. */
  #text: readonly number[] = []

  constructor(engine: Engine, context: Context, request: DraftRequest, signal: AbortSignal) {
    const { model } = engine.target
    this.#context = context
    this.#request = request
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
    writer.beginStep(this.#standing)
    const before = this.#timer.ms('draft')
    while (!writer.ended && drafts.refutations === this.#seen) {
      await this.#timer.time('draft', () => this.#forward())
      this.#signal.throwIfAborted()
    }
    drafts.ms += this.#timer.ms('draft') - before
    if (drafts.refutations !== this.#seen) return undefined
    const step = writer.draftStep
    this.#tokens += step.tokens.length
    return step
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
        forwards: timer.count('draft'),
      },
    }
  }

  close(): void {
    this.#writing?.tree.release()
  }

  /** Goes on from what is committed, where what it wrote was refuted. */
  #upToDate(): { start: number; writer: DraftWriter } {
    const { drafts, tokens } = this.#context
    const text = [...tokens, ...drafts.steps.flatMap((step) => step.tokens)]
    if (!this.#writing) this.#writing = this.#begin(text)
    else if (drafts.refutations !== this.#seen) this.#writing.branch.follow(text.slice(this.#writing.start))
    this.#seen = drafts.refutations
    return this.#writing
  }

  /** Where what is committed and drafted leaves off among the channels. */
  get #standing(): ChannelState {
    const { drafts } = this.#context
    const committed = this.#context.standing(this.#runner.model.tokenizer)
    return drafts.steps.reduce((channels, { text }) => channelsThrough(channels, text), committed)
  }

  #begin(text: readonly number[]) {
    const { model, capacity } = this.#runner
    const { depth, follow, step_rules: rules } = this.#request
    const start = text.length
    const writer = new DraftWriter(
      (written, after) =>
        new StepWriter(model.tokenizer, {
          rules,
          after,
          room: capacity - start - written,
          endOfText: model.generation.eosTokenIds,
        }),
    )
    const most = follow ? capacity - start : depth * longestStep(rules)
    const tree = new Tree(this.#runner, {
      signal: this.#signal,
      meter: this.#context.drafts.meter,
      salt: this.#context.salt,
      most,
      reduced: this.#vocabulary.reduced(reduction(this.#parameters)),
    })
    const branch = new Branch({
      tree,
      prefix: 0,
      writer,
      position: start,
      distribution: (scores) => writer.drawsFrom(distribution(this.#vocabulary.scores(scores), this.#parameters)),
      sampler: couplingSampler(new TokenNoise(this.#parameters.seed)),
      counts: new SpeculationCounts(),
    })
    this.#text = text
    return { start, tree, branch, writer }
  }

  async #forward(): Promise<void> {
    const { tree, branch } = this.#writing!
    if (branch.isBegun) return advance(tree, [branch])
    const [scores] = await tree.prefill(this.#text, [], [0])
    branch.begin(() => scores!)
  }
}

/** Cuts what the draft model writes into steps, and keeps what each token was drawn from. */
class DraftWriter implements Writer {
  /** Of all steps. */
  readonly tokens: number[] = []
  readonly #newStep: (written: number, after: ChannelState) => StepWriter
  #id = ''
  #current: { step: StepWriter; distributions: Distribution[] } | undefined

  /** @param newStep makes the step after `written` tokens of the steps before it, which leave off at `after` */
  constructor(newStep: (written: number, after: ChannelState) => StepWriter) {
    this.#newStep = newStep
  }

  /** @param after where the text before it leaves off among the channels */
  beginStep(after: ChannelState): void {
    this.#id = randomUUID()
    this.#current = { step: this.#newStep(this.tokens.length, after), distributions: [] }
  }

  get ended(): boolean {
    return this.#step.step.ended
  }

  /** Keeps what the next token is drawn from. */
  drawsFrom(q: Distribution): Distribution {
    this.#step.distributions.push(q)
    return q
  }

  push(token: number): void {
    this.tokens.push(token)
    this.#step.step.push(token)
  }

  /** The step that has ended. */
  get draftStep(): DraftStep {
    const { step, distributions } = this.#step
    const end = step.end === 'length' ? 'cap' : step.end!
    return { id: this.#id, tokens: step.tokens, text: step.text, end, distributions }
  }

  get #step() {
    if (!this.#current) throw new Error('no step has begun')
    return this.#current
  }
}

/** The first event of both calls. */
export const opened = ({ promptLength, outputLength, channels }: Context): Opened => ({
  type: 'context',
  promptTokens: promptLength,
  outputTokens: outputLength,
  channels,
})
