/** Stored runs, after they were begun: how they are, their events from any one on, and their end. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { App } from '../settings.ts'
import { askRun } from '../stored/ask-run.ts'

export const storedRuns = new Hono<App>()

storedRuns.get('/v1/runs/:id', async (c) => askRun(c, c.req.param('id'), { do: 'retrieve' }))

storedRuns.get('/v1/runs/:id/events', async (c) => askRun(c, c.req.param('id'), { do: 'follow', from: firstWanted(c) }))

storedRuns.post('/v1/runs/:id/cancel', async (c) => askRun(c, c.req.param('id'), { do: 'cancel' }))

/** The first event that is wanted. `EventSource` comes back with the header, to an address that stays as it was. */
export function firstWanted(c: Context<App>): number {
  const seen = c.req.header('last-event-id') || c.req.query('starting_after')
  if (!seen) return 0
  if (!/^\d{1,15}$/.test(seen))
    throw new ProtocolError(400, 'invalid_request', 'starting_after: must be the id of an event', {
      param: 'starting_after',
    })
  return Number(seen) + 1
}
