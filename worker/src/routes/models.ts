/** The models behind the worker, as the backend tells them. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import { askBackend, isRefusal } from '../ask-backend.ts'
import type { App } from '../settings.ts'
import { UNAUTHORIZED } from '../upstreams/native-call.ts'

export const models = new Hono<App>()

models.get('/v1/models', async (c) => {
  const answer = await askBackend(c.env, '/v1/models', c.var.requestId)
  const { status, headers, body } = answer
  if (isRefusal(answer)) {
    await body?.cancel()
    throw new ProtocolError(502, 'backend_unauthorized', UNAUTHORIZED)
  }
  const retryAfter = headers.get('retry-after')
  return new Response(body, {
    status,
    headers: { 'content-type': 'application/json', ...(retryAfter ? { 'retry-after': retryAfter } : {}) },
  })
})
