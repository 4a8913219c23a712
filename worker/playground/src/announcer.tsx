import { shown } from './chain.ts'
import { inWords } from './reasons.ts'
import type { RecordedRun } from './use-recorded-run.ts'

/** What a screen reader is told while a run goes on: beginning, corrections, and the end with its answer. */
export function Announcer({ ahead }: { ahead: RecordedRun }) {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {wordsFor(ahead)}
    </div>
  )
}

function wordsFor({ status, steps, answer, reasoning }: RecordedRun): string {
  const accepted = steps.filter(({ fate }) => fate === 'accepted').length
  const corrected = steps.filter(({ fate }) => fate === 'corrected')
  const last = corrected.at(-1)
  if (status === 'completed')
    return `Done. ${accepted} steps accepted, ${corrected.length} corrected. ${answer || reasoning}`
  if (status === 'stopped') return 'Stopped.'
  if (status !== 'running') return ''
  if (!last) return 'Running.'
  const why = last.reason ? `: ${inWords(last.reason, false)}` : ''
  return `Step ${last.step + 1} corrected${why}. Now: ${shown(last.text)}`
}
