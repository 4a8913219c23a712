import { RunFailedError, RunStream } from '@lookahead/sdk'
import { sleep } from '@lookahead/sdk/protocol'
import type { Recording } from './recording.ts'

/**
 * A recorded run as it came, with the pauses it had; that it failed the stream says itself, without a time.
 * @param speed 1: as recorded; it may change meanwhile
 */
export function replay({ events }: Recording, speed: () => number): RunStream {
  return new RunStream(async function* (signal) {
    let now = 0
    for (const event of events) {
      await sleep((event.at - now) / speed(), signal)
      signal.throwIfAborted()
      now = event.at
      if (event.type === 'run.failed') throw new RunFailedError(event.code, event.message)
      yield event
    }
  }, undefined)
}
