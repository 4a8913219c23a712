import type { CallOptions, Lookahead, RunEvent, RunRequestInput } from '@lookahead/sdk'
import { useRun } from '@lookahead/sdk/react'
import type { UseRun } from '@lookahead/sdk/react'
import { useCallback, useMemo, useRef, useState } from 'preact/hooks'
import type { Recording, TimedEvent } from './recording.ts'
import { replay } from './replay.ts'

export interface RecordedRun extends UseRun {
  /** What has come so far. */
  recording: Recording | undefined
  /** Shows a recorded run in place of one of the worker's. */
  play: (recording: Recording) => void
  clear: () => void
}

/** A run that is recorded while it is shown, or shown as it was recorded. @param speed of replays */
export function useRecordedRun(client: Lookahead, speed: number): RecordedRun {
  const [recording, setRecording] = useState<Recording>()
  const played = useRef<Recording>(undefined)
  const start = useRef(0)
  const pace = useRef(speed)
  pace.current = speed

  const source = useMemo(() => {
    const stream = (request: RunRequestInput, options?: CallOptions) =>
      played.current ? replay(played.current, () => pace.current) : client.runs.stream(request, options)
    return { runs: { stream } }
  }, [client])
  const onEvent = (event: RunEvent | TimedEvent) => {
    const timed = 'at' in event ? event : { ...event, at: Math.round(performance.now() - start.current) }
    setRecording((before) => before && { ...before, events: [...before.events, timed] })
  }
  const run = useRun(source, { onEvent })

  const begin = (request: RunRequestInput, recorded?: Recording) => {
    played.current = recorded
    run.ask(request)
    start.current = performance.now()
    setRecording({ request, events: [] })
  }
  const { stop } = run
  const clear = useCallback(() => {
    stop()
    setRecording(undefined)
  }, [stop])
  return {
    ...run,
    recording,
    clear,
    ask: (request) => begin(request),
    play: (recorded) => begin(recorded.request, recorded),
  }
}
