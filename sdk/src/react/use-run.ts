import { useCallback, useEffect, useRef, useState } from 'react'
import type { Lookahead } from '../client.ts'
import { LookaheadError } from '../errors.ts'
import type { RunRequestInput } from '../protocol/run-request.ts'
import type { RunEvent } from '../protocol/runs.ts'
import type { RunStream } from '../run-stream.ts'
import { idle, withEvent } from './run-view.ts'
import type { RunView } from './run-view.ts'

export interface UseRun extends RunView {
  /**
   * Asks a question; a run that goes on is stopped. For event handlers: rendering asks nothing.
   * @throws {UsageError} `invalid_option`
   */
  ask: (request: RunRequestInput) => void
  /** Stops the run, and with it the work on the server; what is shown stays. */
  stop: () => void
}

/** A `Lookahead`, or whatever else hands out runs. */
type Runs = { runs: Pick<Lookahead['runs'], 'stream'> }

export interface UseRunOptions {
  /** Is told of every event as it comes, before it shows: for a log. */
  onEvent?: ((event: RunEvent) => void) | undefined
}

interface Current {
  stream: RunStream
  /** Aborted when nobody looks any more. */
  left: AbortController
}

/**
 * One run at a time, to be rendered as it goes on. When the component goes away, so does the run, unless it is stored.
 *
 * @example
 * const client = new Lookahead({ baseURL: 'http://127.0.0.1:8787' })
 *
 * function Question() {
 *   const { steps, answer, status, ask, stop } = useRun(client)
 *   return <>
 *     <button onClick={() => ask({ prompt: 'What is 17 times 23?' })}>Ask</button>
 *     <ol>{steps.map(({ step, text, fate }) => <li key={step} className={fate}>{text}</li>)}</ol>
 *     <p>{answer}</p>
 *   </>
 * }
 */
export function useRun(client: Runs, { onEvent }: UseRunOptions = {}): UseRun {
  const [view, setView] = useState(idle)
  const listener = useRef(onEvent)
  listener.current = onEvent
  const current = useRef<Current>(undefined)

  const end = useCallback((how: (run: Current) => void) => {
    const run = current.current
    if (!run) return
    current.current = undefined
    how(run)
    setView((before) => ({ ...before, status: 'stopped' }))
  }, [])

  const stop = useCallback(() => end(({ stream }) => stream.cancel()), [end])

  const ask = useCallback(
    (request: RunRequestInput) => {
      const left = new AbortController()
      const stream = client.runs.stream(request, { signal: left.signal })
      const run = { stream, left }
      stop()
      setView({ ...idle, status: 'running' })
      current.current = run
      /** What a run tells that is no longer the current one, or whose component is gone, is told to nobody. */
      const tell = (change: (before: RunView) => RunView) => {
        if (current.current === run) setView(change)
      }
      const hear = (event: RunEvent) => {
        if (current.current === run) listener.current?.(event)
      }
      void follow(stream, tell, hear).finally(() => {
        if (current.current === run) current.current = undefined
      })
    },
    [client, stop],
  )

  // StrictMode undoes effects and does them again at once: that is no end of the component, and must not stop a run.
  const isThere = useRef(false)
  useEffect(() => {
    isThere.current = true
    return () => {
      isThere.current = false
      queueMicrotask(() => {
        // A stored run goes on without it.
        if (!isThere.current) end(({ left }) => left.abort())
      })
    }
  }, [end])

  return { ...view, ask, stop }
}

async function follow(
  run: RunStream,
  tell: (change: (before: RunView) => RunView) => void,
  hear: (event: RunEvent) => void,
): Promise<void> {
  try {
    for await (const event of run) {
      hear(event)
      tell((before) => withEvent(before, event))
    }
  } catch (error) {
    if (!LookaheadError.isInstance(error)) throw error
    tell((before) => ({ ...before, status: 'failed', error }))
  }
}
