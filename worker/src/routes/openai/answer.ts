/** Starts the run that a request asks for, and answers in its dialect: a stream of events, or one piece. */
import { encodedStream, leavable, within } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { failure } from '../../failure.ts'
import type { App } from '../../settings.ts'
import { HEARTBEAT_MS, startRun } from '../../start-run.ts'
import { eventsByNow, startForReading } from '../../stored/read-run.ts'
import type { DialectRequest, Encoder } from './dialect.ts'
import { patientJson } from './patient-json.ts'

type Events = AsyncIterator<RunEvent, void, undefined>

/**
 * What fails before there is any output has a status of its own, also when streaming; so does what fails later, of an answer
 * in one piece. But the status is not held back for longer than a beat: the runtime notices that a client has left only
 * when something is written.
 * @throws as `startRun` does
 */
export async function answer(c: Context<App>, { run, stream, encoder, stored }: DialectRequest): Promise<Response> {
  const { events, named } = stored
    ? await startForReading(run, c, stored.note)
    : { events: await startRun(run, c), named: { id: c.var.requestId, created: Math.floor(Date.now() / 1000) } }
  const words = encoder(named)
  if (stored && !stream && !stored.isAwaited) {
    await events.return?.()
    return c.json(words.whole(await eventsByNow(c, named.id)))
  }
  const first = read(events, stream ? hasBegun : () => false)
  const known = await within(HEARTBEAT_MS, first)
  const last = known?.at(-1)
  if (last?.type === 'run.failed') return failure(last).toResponse()
  if (stream) return wordedStream(events, words, first)
  if (!known)
    return patientJson(
      first.then((all) => whole(all, words)),
      HEARTBEAT_MS,
      () => events.return?.(),
    )
  return last ? c.json(whole(known, words)) : leftAlone()
}

function whole(events: readonly RunEvent[], words: Encoder): object {
  const last = events.at(-1)
  if (last?.type === 'run.failed') throw failure(last)
  return words.whole(events)
}

/** Whether a run has more to show than that it was started. */
const hasBegun = ({ type }: RunEvent): boolean => type !== 'run.started' && type !== 'run.degraded'

/** Events up to the first that is enough, or all of them. */
async function read(events: Events, isEnough: (event: RunEvent) => boolean): Promise<RunEvent[]> {
  const seen: RunEvent[] = []
  for (;;) {
    const { done, value } = await events.next()
    if (done) return seen
    seen.push(value)
    if (isEnough(value)) return seen
  }
}

/** A stream of the events as a dialect words them. @param first those that were read already */
export function wordedStream(rest: Events, words: Encoder, first = Promise.resolve<RunEvent[]>([])): Response {
  return encodedStream(encoded(first, rest, words), (text) => text, { heartbeatMs: HEARTBEAT_MS })
}

/** The events as text. Leaving it leaves them. */
function encoded(first: Promise<RunEvent[]>, rest: Events, encoder: Encoder): Leavable<string> {
  async function* lines(): AsyncGenerator<string, void, undefined> {
    for (const event of await first) yield encoder.event(event)
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield encoder.event(next.value)
  }
  return leavable(withoutEmpty(lines()), () => rest.return?.())
}

async function* withoutEmpty(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  for await (const text of texts) if (text !== '') yield text
}

/** For a client that is gone: nobody reads it. */
const leftAlone = (): Response => new Response(null, { status: 499 })
