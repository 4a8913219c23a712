import type { RunEvent } from '@lookahead/sdk'
import type { TimedEvent } from './run.ts'

/** Text that comes in so short a time is one entry, in milliseconds. */
const TOGETHER_MS = 10

/** Notes when each event of a run came. */
export class Timeline {
  readonly events: TimedEvent[] = []
  readonly #start = performance.now()

  add(event: RunEvent): void {
    const at = Math.round((performance.now() - this.#start) * 10) / 10
    if (event.type !== 'text.delta') this.events.push({ at, ...event })
    else this.#addText(at, event)
  }

  #addText(at: number, { type, channel, text }: Extract<RunEvent, { type: 'text.delta' }>): void {
    const last = this.events.at(-1)
    if (last?.type === type && last.channel === channel && at - last.at < TOGETHER_MS) last.length! += text.length
    else this.events.push({ at, type, channel, length: text.length })
  }
}
