import { ProtocolError } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { askForKey, letPagesCall, limitBody, limitRate, refusePages } from './access/middleware.ts'
import { RunFailure } from './failure.ts'
import { logLine } from './log.ts'
import { stackOf, words } from './lookahead/index.ts'
import { requestId } from './request-id.ts'
import { health } from './routes/health.ts'
import { models } from './routes/models.ts'
import { openai } from './routes/openai/index.ts'
import { openapi } from './routes/openapi.ts'
import { runs } from './routes/runs.ts'
import { storedRuns } from './routes/stored-runs.ts'
import type { App } from './settings.ts'

export const app = new Hono<App>()

app.use(letPagesCall)
app.use(requestId)
app.use('/v1/*', refusePages, askForKey, limitRate, limitBody)

app.route('/', runs)
app.route('/', storedRuns)
app.route('/', openai)
app.route('/', models)
app.route('/', health)
app.route('/', openapi)

app.notFound((c) => new ProtocolError(404, 'not_found', `no ${c.req.method} ${c.req.path} here`).toResponse())

app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse()
  const foreseen = error instanceof ProtocolError
  const told = foreseen ? error : new ProtocolError(500, 'internal_error', 'the worker failed; its log says why')
  if (told.status >= 500 && !(error instanceof RunFailure)) {
    const { status, code, message } = told
    const why = foreseen ? { cause: words(error.cause) } : { stack: stackOf(error) }
    const request = { request_id: c.var.requestId, path: c.req.path }
    logLine({ event: 'request.failed', ...request, status, code, message, ...why })
  }
  return told.toResponse()
})
