import type { Context } from '../contexts.ts'
import type { Engine } from '../engine.ts'
import { stepsDrafted } from '../events.ts'
import type { DraftEvent, Opened } from '../events.ts'
import { Drafting } from './drafting.ts'
import type { DraftRequest } from './requests.ts'

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
      yield* stepsDrafted(step, index++)
      if (step.end === 'text') break
    }
    yield drafting.done()
  } finally {
    leave()
    drafting.close()
  }
}

/** The first event of both calls. */
export const opened = ({ promptLength, outputLength, channels }: Context): Opened => ({
  type: 'context',
  promptTokens: promptLength,
  outputTokens: outputLength,
  channels,
})
