/** A run as it was seen: what was asked, and every event with the time it came. As a file, a line of JSON each. */
import { RunEvent } from '@lookahead/sdk/protocol'
import type { RunRequestInput } from '@lookahead/sdk'
import * as v from 'valibot'

/** `at`: milliseconds since the request was sent. */
export type TimedEvent = RunEvent & { at: number }

export interface Recording {
  request: RunRequestInput
  events: readonly TimedEvent[]
}

/** A file holds no recorded run; the message names the line. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError'
}

const Request = v.looseObject({
  messages: v.optional(
    v.array(
      v.looseObject({ role: v.string(), content: v.union([v.string(), v.array(v.looseObject({ text: v.string() }))]) }),
    ),
  ),
  prompt: v.optional(v.string()),
})
const Head = v.object({ type: v.literal('run.requested'), at: v.literal(0), request: Request })
const Time = v.looseObject({ at: v.pipe(v.number(), v.minValue(0)) })

export function print({ request, events }: Recording): string {
  return [{ type: 'run.requested', at: 0, request }, ...events].map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** @throws {RecordingError} */
export function parse(text: string): Recording {
  const [head, ...lines] = text.trim().split('\n')
  const { request } = read(head ?? '', 1, (json) => v.parse(Head, json))
  const events = lines.map((line, i) =>
    read(line, i + 2, (json) => ({ ...v.parse(RunEvent, json), at: v.parse(Time, json).at })),
  )
  if (events.length === 0) throw new RecordingError('This run has no events.')
  return { request: request as RunRequestInput, events }
}

function read<T>(line: string, number: number, check: (json: unknown) => T): T {
  try {
    return check(JSON.parse(line))
  } catch {
    const wanted = number === 1 ? 'the request of a recorded run' : 'an event of a run'
    throw new RecordingError(`Line ${number} of this file is not ${wanted}.`)
  }
}

/**
 * Adds an event of a run that is read again. What came before comes at once then, so the run's own count of its time says
 * when it was: no event is later than the next count, or at the end, than the last.
 */
export function withEarlier(events: readonly TimedEvent[], event: TimedEvent): TimedEvent[] {
  const told = event.type === 'run.failed' ? events.findLast(isCount) : event
  const latest = told && isCount(told) ? told.stats.elapsed_ms : undefined
  const all = [...events, event]
  return latest === undefined ? all : all.map((one) => ({ ...one, at: Math.min(one.at, Math.round(latest)) }))
}

const isCount = (event: TimedEvent) => event.type === 'run.stats' || event.type === 'run.completed'

/** What was asked, in words. */
export const questionOf = ({ messages, prompt }: RunRequestInput): string =>
  textOf(messages?.findLast(({ role }) => role === 'user')?.content ?? prompt ?? '')

const textOf = (content: string | readonly { text: string }[]): string =>
  typeof content === 'string' ? content : content.map(({ text }) => text).join('')
