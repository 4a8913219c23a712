/** Stored runs for whoever words them in another dialect: their events, instead of an answer. */
import { leavable, readEvents } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { App } from '../settings.ts'
import { askRun, startStoredRun } from './ask-run.ts'
import type { Recalled } from './orders.ts'

/** @param note as for `startStoredRun` @throws {HTTPException} a refusal; as it does */
export async function startForReading(
  request: RunRequest,
  c: Context<App>,
  note: object,
): Promise<{ events: Leavable<RunEvent>; named: { id: string; created: number } }> {
  const { id, answer } = await startStoredRun(request, c, note)
  const events = eventsOf(answer)
  const { created } = await recallRun(c, id)
  return { events, named: { id, created } }
}

/** @throws {HTTPException} a refusal; as `askRun` does */
export async function recallRun(c: Context<App>, id: string): Promise<Recalled> {
  return allowed(await askRun(c, id, { do: 'recall' })).json()
}

/** All events, those to come too. @throws as `recallRun` does */
export async function followRun(c: Context<App>, id: string): Promise<Leavable<RunEvent>> {
  return eventsOf(await askRun(c, id, { do: 'follow', from: 0 }))
}

/** The events that are stored by now. @throws as `recallRun` does */
export async function eventsByNow(c: Context<App>, id: string): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of eventsOf(await askRun(c, id, { do: 'follow', from: 0, now: true }))) events.push(event)
  return events
}

/** @throws as `recallRun` does */
export async function endRun(c: Context<App>, id: string, how: 'cancel' | 'delete'): Promise<void> {
  await allowed(await askRun(c, id, { do: how })).body?.cancel()
}

function eventsOf(answer: Response): Leavable<RunEvent> {
  const sent = readEvents(allowed(answer).body!)
  async function* events(): AsyncGenerator<RunEvent, void, undefined> {
    for await (const { data } of sent) yield JSON.parse(data) as RunEvent
  }
  return leavable(events(), () => sent.return())
}

function allowed(answer: Response): Response {
  if (!answer.ok) throw new HTTPException(answer.status as ContentfulStatusCode, { res: answer })
  return answer
}
