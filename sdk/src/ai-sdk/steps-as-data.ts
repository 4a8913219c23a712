import type { RunEvent } from '../protocol/runs.ts'
import { STEP } from './stream-parts.ts'

/** What became of a step, as far as is known: `data` of a part `data-step`, which later parts of the same id replace. */
export interface StepData {
  /** The step's place in the output, from 0. */
  step: number
  fate: 'drafted' | 'accepted' | 'rejected' | 'corrected'
  text: string
  /** The verifier's, of an accepted or rejected step. */
  reason?: string
}

type Chunk = {
  type: string
  kind?: string
  providerMetadata?: { [provider: string]: { [key: string]: unknown } } | undefined
}

/**
 * Turns the steps in a stream of UI message chunks into data parts: `message.parts` then has one `data-step` for each step,
 * which changes as the step is accepted, or rejected and corrected.
 *
 * @example
 * const stream = result.toUIMessageStream().pipeThrough(stepsAsData())
 * return createUIMessageStreamResponse({ stream })
 */
export function stepsAsData<T extends { type: string }>(): TransformStream<T, T> {
  return new TransformStream({
    transform(chunk, controller) {
      const event = eventIn(chunk)
      if (!event) return controller.enqueue(chunk)
      // What happens to the run as a whole belongs to no step.
      if (!('step' in event)) return
      const { type, ...rest } = event
      const data: StepData = { ...rest, fate: type.slice('step.'.length) as StepData['fate'] }
      controller.enqueue({ type: 'data-step', id: `step-${event.step}`, data } as never)
    },
  })
}

function eventIn({ type, kind, providerMetadata }: Chunk): RunEvent | undefined {
  return type === 'custom' && kind === STEP ? (providerMetadata?.['lookahead'] as unknown as RunEvent) : undefined
}
