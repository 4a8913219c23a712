import { randomUUID } from 'node:crypto'
import type { DraftRequest } from '@lookahead/sdk/protocol'
import type { Context } from '../contexts.ts'
import type { Engine } from '../engine.ts'
import type { DraftEvent, Opened } from '../events.ts'
import { distribution, reduction, samplingParameters } from '../sampling/distribution.ts'
import type { Distribution } from '../sampling/distribution.ts'
import { TokenNoise } from '../sampling/noise.ts'
import { SpeculationCounts, couplingSampler } from '../speculation/accept.ts'
import { SharedVocabulary } from '../text/shared-vocabulary.ts'
import { StepWriter } from '../text/step.ts'
import type { DraftStep } from '../text/step.ts'
import { Branch, advance } from './branch.ts'
import type { Writer } from './branch.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'

/** The draft model writes up to `depth` steps after the context, one event each as soon as it is finished. */
export async function* draft(
  engine: Engine,
  context: Context,
  request: DraftRequest,
  signal: AbortSignal,
): AsyncGenerator<DraftEvent, void, undefined> {
  const runner = engine.requireDraft()
  const { model } = runner
  // As the target is sampled: what draft and target draw alike is accepted.
  const parameters = samplingParameters(request.sampling, engine.target.model.generation, context.seed)
  const vocabulary = new SharedVocabulary(model, engine.target.model.config.vocabSize)
  const reduced = vocabulary.reduced(reduction(parameters))
  const room = runner.capacity - context.tokens.length
  const writer = new DraftWriter(
    (written) =>
      new StepWriter(model.tokenizer, {
        delimiter: request.delimiter,
        cap: request.step_tokens,
        room: room - written,
        endOfText: model.generation.eosTokenIds,
      }),
  )
  const tree = new Tree(runner, { signal, most: request.depth * request.step_tokens, reduced })
  const branch = new Branch({
    tree,
    prefix: 0,
    writer,
    position: context.tokens.length,
    distribution: (scores) => writer.drawsFrom(distribution(vocabulary.scores(scores), parameters)),
    sampler: couplingSampler(new TokenNoise(parameters.seed)),
    counts: new SpeculationCounts(),
  })
  const timer = new Timer()
  context.drafts.clear()
  yield opened(context)
  try {
    for (let index = 0; index < request.depth && writer.tokens.length < room; index++) {
      writer.beginStep()
      while (!writer.ended) {
        await timer.time('draft', () => (index + writer.tokens.length === 0 ? begin() : advance(tree, [branch])))
        signal.throwIfAborted()
      }
      const id = randomUUID()
      const step = writer.draftStep
      context.drafts.set(id, step)
      yield { type: 'step', id, index, text: step.text, tokens: step.tokens.length, end: step.end }
      if (step.end === 'text') break
    }
    if (writer.tokens.length > 0) tree.commit(0, branch.leaf)
    yield {
      type: 'done',
      promptTokens: context.promptLength,
      completionTokens: writer.tokens.length,
      work: {
        totalMs: timer.total,
        draftMs: timer.ms('draft'),
        targetMs: 0,
        judgeMs: 0,
        forwards: timer.count('draft'),
      },
    }
  } finally {
    tree.release()
  }

  async function begin(): Promise<void> {
    const [scores] = await tree.prefill(context.tokens, [], [0])
    branch.begin(() => scores!)
  }
}

/** Cuts what the draft model writes into steps, and keeps what each token was drawn from. */
class DraftWriter implements Writer {
  /** Of all steps. */
  readonly tokens: number[] = []
  readonly #newStep: (written: number) => StepWriter
  #current: { step: StepWriter; distributions: Distribution[] } | undefined

  /** @param newStep makes the step after `written` tokens of the steps before it */
  constructor(newStep: (written: number) => StepWriter) {
    this.#newStep = newStep
  }

  beginStep(): void {
    this.#current = { step: this.#newStep(this.tokens.length), distributions: [] }
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
    return { tokens: step.tokens, text: step.text, end, distributions }
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
