import { seconds } from './figures.tsx'
import { lanes } from './spans.ts'
import type { Course, Lane } from './spans.ts'

const names: Record<Lane, string> = { draft: 'Drafting', target: 'Verifying', judge: 'Judging' }

export interface TimelineProps {
  course: Course
  /** How long plain decoding took, or has taken so far, in milliseconds. */
  plain?: number
  isRunning?: boolean
  /** The end of the axis, in milliseconds. Default: the later of both ends. */
  until?: number
  title?: string
}

/** Who was at work when, on one clock. */
export function Timeline({ course, plain, isRunning = false, until, title = 'Timeline' }: TimelineProps) {
  const end = Math.max(1, until ?? 0, course.end, plain ?? 0)
  const left = (ms: number) => `${(ms / end) * 100}%`
  const worked = (lane: Lane) =>
    course.spans.reduce((sum, span) => (span.lane === lane ? sum + span.to - span.from : sum), 0)
  const summary = lanes.map((lane) => `${names[lane]} ${seconds(worked(lane))}`).join(', ')
  const last = plain === undefined ? '' : ` Plain decoding ${seconds(plain)}.`
  return (
    <figure class="timeline">
      <figcaption>
        {title} <span class="hint">{isRunning ? 'running …' : seconds(course.end)}</span>
      </figcaption>
      <div role="img" aria-label={`${seconds(course.end)} in all: ${summary}.${last}`}>
        {lanes.map((lane) => (
          <div class="lane" key={lane}>
            <span>{names[lane]}</span>
            <div>
              {course.spans.map(
                (span) =>
                  span.lane === lane && (
                    <i
                      class={lane}
                      key={`${span.from}-${span.to}`}
                      style={{ left: left(span.from), width: left(span.to - span.from) }}
                    />
                  ),
              )}
            </div>
          </div>
        ))}
        {course.marks.length > 0 && (
          <div class="lane marks">
            <span>Verdicts</span>
            <div>
              {course.marks.map(
                ({ at, fate }, i) =>
                  fate !== 'drafted' && fate !== 'rejected' && <b class={fate} key={i} style={{ left: left(at) }} />,
              )}
            </div>
          </div>
        )}
        {plain !== undefined && (
          <div class="lane">
            <span>Plain</span>
            <div>
              <i class="plain" style={{ left: 0, width: left(plain) }} />
            </div>
          </div>
        )}
        <div class="lane axis">
          <span />
          <div>
            {ticks(end).map((ms) => (
              <span key={ms} style={{ left: left(ms) }}>
                {ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`}
              </span>
            ))}
          </div>
        </div>
      </div>
    </figure>
  )
}

/** Four to eight round times up to `end`. */
function ticks(end: number): number[] {
  const power = 10 ** Math.floor(Math.log10(end / 4))
  const step = [1, 2, 5, 10].map((digit) => digit * power).findLast((size) => end / size >= 4)!
  return Array.from({ length: Math.floor((end * 0.95) / step) }, (_, i) => Math.round((i + 1) * step))
}
