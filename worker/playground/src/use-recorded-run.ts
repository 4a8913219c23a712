import type { CallOptions, Lookahead, RunEvent, RunRequestInput, RunStream } from '@lookahead/sdk'
import { useRun } from '@lookahead/sdk/react'
import type { UseRun } from '@lookahead/sdk/react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { keep, kept } from './kept.ts'
import { withEarlier } from './recording.ts'
import type { Recording, TimedEvent } from './recording.ts'
import { replay } from './replay.ts'

export interface RecordedRun extends UseRun {
  /** What has come so far. */
  recording: Recording | undefined
  /** Shows a recorded run in place of one of the worker's. */
  play: (recording: Recording) => void
  clear: () => void
}

/** What is shown: a run of the worker's, unless it is played. */
interface Shown {
  request: RunRequestInput
  /** In milliseconds since 1970. */
  askedAt: number
  /** Of a stored run. */
  id?: string
  played?: Recording
}

/**
 * A run that is recorded while it is shown, or shown as it was recorded. A stored one is shown again after a reload.
 * @param speed of replays
 * @param name of what is kept of it
 */
export function useRecordedRun(client: Lookahead, speed: number, name: string): RecordedRun {
  const [recording, setRecording] = useState<Recording>()
  const shown = useRef<Shown>(undefined)
  const pace = useRef(speed)
  pace.current = speed

  const runs = useMemo(() => {
    const stream = (request: RunRequestInput, options?: CallOptions): RunStream => {
      const { id, played } = shown.current!
      if (played) return replay(played, () => pace.current)
      return id === undefined ? client.runs.stream(request, options) : client.runs.resume(id, options)
    }
    return { runs: { stream } }
  }, [client])
  const onEvent = (event: RunEvent | TimedEvent) => {
    const { request, askedAt, id, played } = shown.current!
    const recorded = 'at' in event ? event : played?.events.find(({ type }) => type === event.type)
    const timed = recorded ?? { ...event, at: Math.round(now() - askedAt) }
    const isNew = !played && id === undefined
    if (event.type === 'run.started' && isNew && request.store)
      keep(name, { request, askedAt, id: event.run_id } satisfies Shown)
    const add = (before: Recording) =>
      id === undefined ? [...before.events, timed] : withEarlier(before.events, timed)
    setRecording((before) => before && { ...before, events: add(before) })
  }
  const run = useRun(runs, { onEvent })

  const show = (what: Shown) => {
    shown.current = what
    run.ask(what.request)
    setRecording({ request: what.request, events: [] })
  }
  const forget = () => keep(name, undefined)
  useEffect(() => {
    const before = kept(name) as Shown | undefined
    if (before) show(before)
  }, [])
  useEffect(() => {
    if (run.error?.code === 'run_not_found') forget()
  }, [run.error])

  const { stop } = run
  const clear = useCallback(() => {
    stop()
    forget()
    setRecording(undefined)
  }, [stop])
  // Whoever comes back to a run that was stopped finds it so.
  const wasStopped = run.error?.code === 'cancelled'
  return {
    ...run,
    ...(wasStopped && { status: 'stopped', error: undefined }),
    recording,
    clear,
    ask: (request) => {
      forget()
      show({ request, askedAt: now() })
    },
    play: (played) => show({ request: played.request, askedAt: now(), played }),
  }
}

/** Milliseconds since 1970, by a clock that nobody sets. */
const now = (): number => performance.timeOrigin + performance.now()
