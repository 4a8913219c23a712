import { randomUUID } from 'node:crypto'
import type { ChannelState, DraftEvent, DraftRequest } from '@lookahead/sdk/protocol'
import type { Scores } from '../model/index.ts'
import type { Context } from './contexts.ts'
import { distribution, reduction, samplingParameters } from './distribution.ts'
import type { Distribution } from './distribution.ts'
import type { Engine } from './engine.ts'
import { StepNoise } from './noise.ts'
import { SharedVocabulary } from './shared-vocabulary.ts'
import { StepWriter } from './step.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'

/** The draft model writes up to `depth` steps after the context, one event each as soon as it is finished. */
export async function* draft(
  engine: Engine,
  context: Context,
  request: DraftRequest,
  signal: AbortSignal,
): AsyncGenerator<DraftEvent, void, undefined> {
  const decoder = engine.requireDraft()
  const { model } = decoder
  // As the target is sampled: what draft and target draw alike is accepted.
  const parameters = samplingParameters(request.sampling, engine.target.model.generation, context.seed)
  const timer = new Timer()
  const vocabulary = new SharedVocabulary(model, engine.target.model.config.vocabSize)
  const reduced = vocabulary.reduced(reduction(parameters))
  const tree = new Tree(decoder, { signal, most: request.depth * request.step_tokens, reduced })
  const leaf = tree.leaf(0)
  const written: number[] = []
  const forward = async (): Promise<Scores> => {
    const [[scores] = []] =
      written.length === 0
        ? [await tree.prefill(context.tokens, [], [0])]
        : await tree.advance([{ leaf, tokens: written.slice(-1) }])
    return scores!
  }
  context.drafts.clear()
  yield opening(context)
  try {
    const room = decoder.capacity - context.tokens.length
    for (let index = 0; index < request.depth && written.length < room; index++) {
      const step = new StepWriter(model.tokenizer, {
        delimiter: request.delimiter,
        cap: request.step_tokens,
        room: room - written.length,
        endOfText: model.generation.eosTokenIds,
      })
      const noise = new StepNoise(parameters.seed, context.outputLength, index)
      const distributions: Distribution[] = []
      while (!step.end) {
        const scores = await timer.time('draft', forward)
        signal.throwIfAborted()
        const q = distribution(vocabulary.scores(scores), parameters)
        const token = noise.draw(q, step.tokens.length)
        distributions.push(q)
        step.push(token)
        written.push(token)
      }
      const id = randomUUID()
      const end = step.end === 'length' ? 'cap' : step.end
      context.drafts.set(id, { tokens: step.tokens, text: step.text, end, distributions })
      yield { type: 'step', id, index, text: step.text, tokens: step.tokens.length, end }
      if (end === 'text') break
    }
    tree.commit(0, leaf)
    yield {
      type: 'done',
      usage: { prompt_tokens: context.promptLength, completion_tokens: written.length },
      timings: {
        total_ms: timer.total,
        draft_ms: timer.ms('draft'),
        target_ms: 0,
        judge_ms: 0,
        forwards: timer.count('draft'),
      },
    }
  } finally {
    tree.release()
  }
}

/** The first event of both streams. */
export function opening(
  context: Context,
): { type: 'context'; prompt_tokens: number; output_tokens: number } & ChannelState {
  return {
    type: 'context',
    prompt_tokens: context.promptLength,
    output_tokens: context.outputLength,
    ...context.channels,
  }
}
