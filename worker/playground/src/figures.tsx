import type { ComponentChildren } from 'preact'
import type { RecordedRun } from './use-recorded-run.ts'

/** Speed, acceptance, and, after a race, how much sooner. */
export function Figures({ ahead, plain }: { ahead: RecordedRun; plain: RecordedRun }) {
  const accepted = ahead.steps.filter(({ fate }) => fate === 'accepted').length
  const ruled = accepted + ahead.steps.filter(({ rejected }) => rejected !== undefined).length
  const [ours, theirs] = [pace(ahead), pace(plain)]
  return (
    <dl class="figures" aria-label="Figures of this run">
      <Figure name="tokens/s">{ours ? Math.round(ours.tokensPerSecond) : '–'}</Figure>
      <Figure name="steps accepted">
        {ruled > 0 ? (
          <>
            {percent(accepted / ruled)}{' '}
            <small>
              {accepted} of {ruled}
            </small>
          </>
        ) : (
          '–'
        )}
      </Figure>
      <Figure name="tokens">{ours?.tokens ?? '–'}</Figure>
      <Figure name="time">{ours ? seconds(ours.ms) : '–'}</Figure>
      {plain.recording && (
        <Figure name="against plain decoding">
          {ours && theirs && ahead.status === 'completed' && plain.status === 'completed'
            ? `${(ours.tokensPerSecond / theirs.tokensPerSecond).toFixed(2)}×`
            : 'racing …'}
        </Figure>
      )}
    </dl>
  )
}

function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Up to the last time the run told its counters. */
export function pace({ recording, stats, usage }: RecordedRun) {
  const told = recording?.events.findLast(({ type }) => type === 'run.stats' || type === 'run.completed')
  if (!told || !stats) return undefined
  const tokens = usage?.completion_tokens ?? stats.output_tokens
  return { tokens, ms: told.at, tokensPerSecond: (tokens / Math.max(1, told.at)) * 1000 }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
export const percent = (part: number): string => `${Math.round(part * 100)} %`
