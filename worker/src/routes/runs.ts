/** Our own dialect: a run as it happens, every event of it. */
import { RunRequest, eventStream, parseRequest, readJson } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { App } from '../settings.ts'
import { HEARTBEAT_MS, startRun } from '../start-run.ts'

/** The SDK tries again as well where `run.failed` comes first. */
const STATUS_MS = 5_000

export const runs = new Hono<App>()

runs.post('/v1/runs', async (c) => {
  const request = parseRequest(RunRequest, await readJson(c.req.raw))
  return eventStream(await startRun(request, c, { statusMs: STATUS_MS }), { ids: true, heartbeatMs: HEARTBEAT_MS })
})
