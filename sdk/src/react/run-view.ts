import type { LookaheadError } from '../errors.ts'
import type { OpenWord } from '../protocol/open-word.ts'
import type { RunEvent, RunStats } from '../protocol/runs.ts'
import type { FinishReason, Usage } from '../protocol/usage.ts'

/** One step, as far as is known what becomes of it. */
export interface ShownStep {
  /** Its place in the output, from 0. */
  step: number
  /** Of the drafted step, or, once it is corrected, of the target's own. */
  text: string
  fate: 'drafted' | 'accepted' | 'rejected' | 'corrected'
  /** The verifier's reason, once it has ruled. */
  reason?: string
  /** How probable the judge found it that both steps mean the same, 0 to 1; absent where none was asked. */
  probability?: number
  /** The target's own step, where a judge found that it means the same as this accepted one. */
  target?: string
  /** The drafted step that the target's own has replaced. */
  rejected?: string
}

/** What there is to show of a run. */
export interface RunView {
  /** `stopped`: by `stop()`, by the next question, or because the component is gone. */
  status: 'idle' | 'running' | 'completed' | 'stopped' | 'failed'
  /** In their places; drafted ones come before their text is output. Empty in the modes `ar` and `sd`. */
  steps: readonly ShownStep[]
  /** Output so far. */
  reasoning: string
  answer: string
  /** After each cycle. */
  stats: RunStats | undefined
  usage: Usage | undefined
  finish_reason: OpenWord<FinishReason> | undefined
  /** Parts that have failed: the run goes on by plain decoding. */
  degraded: readonly OpenWord<'draft' | 'judge'>[]
  error: LookaheadError | undefined
}

export const idle: RunView = {
  status: 'idle',
  steps: [],
  reasoning: '',
  answer: '',
  stats: undefined,
  usage: undefined,
  finish_reason: undefined,
  degraded: [],
  error: undefined,
}

/** What a view becomes with one more event. The view itself stays as it is. */
export function withEvent(view: RunView, event: RunEvent): RunView {
  switch (event.type) {
    case 'run.started':
      // It comes again where a run that failed before its first text is repeated.
      return { ...view, steps: [], degraded: [], stats: undefined }
    case 'text.delta':
      if (event.channel === 'reasoning') return { ...view, reasoning: view.reasoning + event.text }
      return event.channel === 'answer' ? { ...view, answer: view.answer + event.text } : view
    case 'step.drafted':
      return withStep(view, { step: event.step, text: event.text, fate: 'drafted' })
    case 'step.accepted':
      return withStep(view, { step: event.step, text: event.text, fate: 'accepted', ...finding(event) })
    case 'step.rejected':
      return withStep(view, { step: event.step, text: event.text, fate: 'rejected', ...finding(event) })
    case 'step.corrected':
      return withStep(view, { step: event.step, text: event.text, fate: 'corrected', ...why(view, event.step) })
    case 'run.degraded':
      return { ...view, degraded: [...view.degraded, event.part] }
    case 'run.stats':
      return { ...view, stats: event.stats }
    case 'run.completed':
      return {
        ...view,
        status: 'completed',
        // What was drafted beyond the end was not needed.
        steps: view.steps.filter(({ fate }) => fate !== 'drafted'),
        stats: event.stats,
        usage: event.usage,
        finish_reason: event.finish_reason,
      }
    default:
      return view
  }
}

/** What the verifier says beside its ruling. */
function finding({ reason, probability, target }: Finding): Pick<ShownStep, keyof Finding> {
  return {
    ...(reason && { reason }),
    ...(probability !== undefined && { probability }),
    ...(target !== undefined && { target }),
  }
}

interface Finding {
  reason?: string | undefined
  probability?: number | undefined
  target?: string | undefined
}

/** What stood in a place that is corrected, if it was turned down. */
function why({ steps }: RunView, place: number): Partial<ShownStep> {
  const before = steps.find(({ step }) => step === place)
  return before?.fate === 'rejected' ? { ...finding(before), rejected: before.text } : {}
}

/** In its place. Where a step is rejected or corrected, drafted steps after it are void. */
function withStep(view: RunView, shown: ShownStep): RunView {
  const isTurn = shown.fate === 'rejected' || shown.fate === 'corrected'
  const others = view.steps.filter(
    ({ step, fate }) => step !== shown.step && !(isTurn && step > shown.step && fate === 'drafted'),
  )
  return { ...view, steps: [...others, shown].toSorted((a, b) => a.step - b.step) }
}
