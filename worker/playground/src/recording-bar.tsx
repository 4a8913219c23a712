import { useRef, useState } from 'preact/hooks'
import { RecordingError, parse, print } from './recording.ts'
import type { Recording } from './recording.ts'

export interface RecordingBarProps {
  ahead: Recording | undefined
  plain: Recording | undefined
  isRunning: boolean
  onPlay: (recording: Recording, beside?: Recording) => void
  speed: number
  onSpeed: (speed: number) => void
}

const speeds = [0.1, 0.25, 0.5, 1, 2, 4]

/** Runs as files: what was shown can be kept, shown to others, and seen again as slowly as one likes. */
export function RecordingBar({ ahead, plain, isRunning, onPlay, speed, onSpeed }: RecordingBarProps) {
  const [trouble, setTrouble] = useState('')
  const file = useRef<HTMLInputElement>(null)
  // While one replays, it is not whole.
  const whole = useRef<{ ahead: Recording; plain: Recording | undefined }>(undefined)
  if (ahead && !isRunning && ahead.events.length > 0) whole.current = { ahead, plain }
  const load = async (chosen: File | undefined) => {
    if (!chosen) return
    try {
      const recording = parse(await chosen.text())
      setTrouble('')
      onPlay(recording)
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error
      setTrouble(error.message)
    }
  }
  const isThere = ahead !== undefined && ahead.events.length > 0
  return (
    <section class="recording" aria-label="Recording">
      <div class="row">
        <button
          type="button"
          disabled={!isThere || isRunning}
          onClick={() => onPlay(whole.current!.ahead, whole.current!.plain)}
        >
          Replay
        </button>
        <label>
          at{' '}
          <select value={speed} onChange={(event) => onSpeed(Number(event.currentTarget.value))}>
            {speeds.map((value) => (
              <option key={value} value={value}>
                {value}× speed
              </option>
            ))}
          </select>
        </label>
        <button type="button" disabled={!isThere || isRunning} onClick={() => save(whole.current!.ahead)}>
          Save run
        </button>
        <button type="button" disabled={isRunning} onClick={() => file.current?.click()}>
          Load run …
        </button>
        <input
          ref={file}
          type="file"
          accept=".jsonl,application/jsonl,text/plain"
          class="unseen"
          tabindex={-1}
          aria-label="A recorded run"
          onChange={(event) => {
            const input = event.currentTarget
            void load(input.files?.[0]).finally(() => (input.value = ''))
          }}
        />
      </div>
      {trouble && (
        <p role="alert" class="error">
          {trouble}
        </p>
      )}
    </section>
  )
}

function save(recording: Recording): void {
  const url = URL.createObjectURL(new Blob([print(recording)], { type: 'application/jsonl' }))
  const link = Object.assign(document.createElement('a'), { href: url, download: 'lookahead-run.jsonl' })
  link.click()
  URL.revokeObjectURL(url)
}
