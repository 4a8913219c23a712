/** What an API dialect is: how a request is read as a run, and how the run's events are worded. One more is its own file and a line in `index.ts`. */
import type { RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import type { Bindings } from '../../settings.ts'

/** Reads the body of a request. @throws {ProtocolError} 400, naming the field at fault; 404 `model_not_found` */
export type Dialect = (body: unknown, env: Bindings) => DialectRequest

/** What a request asks for. */
export interface DialectRequest {
  run: RunRequest
  stream: boolean
  encoder: (named: Named) => Encoder
  /** Of a run that is to be stored: what `encoder` is made of once more, and whether its client waits for its end. */
  stored?: { note: object; isAwaited: boolean } | undefined
}

/** What an answer calls itself, handed in so that an encoder is a function of its run alone. */
export interface Named {
  /** The run's id; a dialect puts its own prefix before it. */
  id: string
  /** Seconds since 1970. */
  created: number
}

/** Words one run. */
export interface Encoder {
  /** What an event adds to a stream: whole server-sent events, perhaps none. The events must come in order, from the first. */
  event(event: RunEvent): string
  /** The same run as one answer. @param events all of them, `run.completed` last */
  whole(events: readonly RunEvent[]): object
}

export type TextDelta = Extract<RunEvent, { type: 'text.delta' }>
/** The terminal event of a run that went well. */
export type Completed = Extract<RunEvent, { type: 'run.completed' }>

/** A completed run, its text put together. */
export interface WholeRun {
  reasoning: string
  answer: string
  /** Both, as they came. */
  text: string
  completed: Completed
  lookahead: { events: RunEvent[] }
}

/** What our dialect tells of a run and others have no words for: all but its text, and counters that come again at the end. */
export const isExtra = ({ type }: RunEvent): boolean => type !== 'text.delta' && type !== 'run.stats'

/** @param events of a run that is completed, all of them */
export function gather(events: readonly RunEvent[]): WholeRun {
  const deltas = events.filter((event) => event.type === 'text.delta')
  const join = (some: readonly TextDelta[]) => some.map(({ text }) => text).join('')
  const on = (channel: TextDelta['channel']) => join(deltas.filter((delta) => delta.channel === channel))
  const completed = events.at(-1)
  if (completed?.type !== 'run.completed') throw new TypeError('a run that is not completed has no whole answer')
  const lookahead = { events: events.filter(isExtra) }
  return { reasoning: on('reasoning'), answer: on('answer'), text: join(deltas), completed, lookahead }
}
