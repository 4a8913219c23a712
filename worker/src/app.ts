import { ProtocolError, bearerOptions } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { logLine } from './log.ts'
import { stackOf, words } from './lookahead/index.ts'
import { requestId } from './request-id.ts'
import { health } from './routes/health.ts'
import { models } from './routes/models.ts'
import { openai } from './routes/openai/index.ts'
import { runs } from './routes/runs.ts'
import { storedRuns } from './routes/stored-runs.ts'
import { apiKeyOf } from './settings.ts'
import type { App } from './settings.ts'

const MAX_BODY_BYTES = 1024 * 1024

export const app = new Hono<App>()

app.use(cors({ origin: '*', exposeHeaders: ['x-request-id', 'retry-after', 'www-authenticate'] }))

app.use(requestId)

app.use('/v1/*', async function askForKey(c, next) {
  const key = apiKeyOf(c.env)
  return key === undefined ? next() : bearerAuth<App>(bearerOptions(key, 'API key'))(c, next)
})

app.use(
  '/v1/*',
  bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new ProtocolError(413, 'request_too_large', `the request body may be ${MAX_BODY_BYTES} bytes at most`)
    },
  }),
)

app.route('/', runs)
app.route('/', storedRuns)
app.route('/', openai)
app.route('/', models)
app.route('/', health)

app.notFound((c) => new ProtocolError(404, 'not_found', `no ${c.req.method} ${c.req.path} here`).toResponse())

app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse()
  const foreseen = error instanceof ProtocolError
  const told = foreseen ? error : new ProtocolError(500, 'internal_error', 'the worker failed; its log says why')
  if (told.status >= 500) {
    const { status, code, message } = told
    const why = foreseen ? { cause: words(error.cause) } : { stack: stackOf(error) }
    const request = { request_id: c.var.requestId, path: c.req.path }
    logLine({ event: 'request.failed', ...request, status, code, message, ...why })
  }
  return told.toResponse()
})
