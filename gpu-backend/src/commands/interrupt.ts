import { constants } from 'node:os'

/** Somebody asked the process to stop. `exitCode` is the shells' number for it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number

  /** @param next what the same command would do now */
  constructor(signal: 'SIGINT' | 'SIGTERM', next: string) {
    super(`stopped; the same command ${next}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** Runs what can be stopped: the first Ctrl-C or SIGTERM aborts the signal, a second ends the process. */
export async function interruptible<T>(next: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = (signal: 'SIGINT' | 'SIGTERM') => {
    release()
    controller.abort(new Interrupted(signal, next))
  }
  const release = () => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    return await task(controller.signal)
  } finally {
    release()
  }
}
