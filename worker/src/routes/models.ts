/** The models that can be asked: the target, by each of its names. The draft and the judge only help. */
import { ErrorBody, Models, ProtocolError, parseRetryAfter } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context } from 'hono'
import * as v from 'valibot'
import { askBackend, isRefusal } from '../ask-backend.ts'
import type { App, Bindings } from '../settings.ts'
import { UNAUTHORIZED } from '../upstreams/native-call.ts'
import { presence } from '../upstreams/openai/presence.ts'
import { servedNames } from './openai/model-name.ts'

export const models = new Hono<App>()

models.get('/v1/models', async (c) => c.json({ object: 'list', data: await served(c) }))

models.get('/v1/models/:id', async (c) => {
  const id = c.req.param('id')
  const names = servedNames(c.env)
  if (!names.includes(id))
    throw new ProtocolError(404, 'model_not_found', `there is no model "${id}": there is ${names.join(', ')}`, {
      param: 'model',
    })
  return c.json((await served(c)).find((model) => model.id === id))
})

/** @throws {ProtocolError} what the backend says; 502 `backend_unauthorized`, `backend_failed`; as `askBackend` does */
async function served(c: Context<App>): Promise<Models['data']> {
  if (c.env.ENGINE === 'openai') return servedElsewhere(c.env)
  const answer = await askBackend(c.env, '/v1/models', c.var.requestId)
  if (isRefusal(answer)) {
    await answer.body?.cancel()
    throw new ProtocolError(502, 'backend_unauthorized', UNAUTHORIZED)
  }
  const told: unknown = await answer.json().catch(() => undefined)
  if (answer.ok && v.is(Models, told)) {
    const target = told.data.find(({ role }) => role === 'target')
    return target ? servedNames(c.env).map((id) => ({ ...target, id })) : []
  }
  throw refusal(answer, told)
}

/** By an engine that does not say how large its models are. @throws {ProtocolError} 500 `not_configured` */
async function servedElsewhere(env: Bindings): Promise<Models['data']> {
  const { model } = await presence(env)
  const target = { ...model, object: 'model', owned_by: 'lookahead', role: 'target', parameters: 0 } as const
  return servedNames(env).map((id) => ({ ...target, id }))
}

/** The backend's own words, where it has any: that it is loading, for example. */
function refusal({ ok, status, headers }: Response, told: unknown): ProtocolError {
  if (ok || !v.is(ErrorBody, told))
    return new ProtocolError(502, 'backend_failed', 'the backend did not list its models')
  const { code, message } = told.error
  const ms = parseRetryAfter(headers.get('retry-after'))
  return new ProtocolError(status, code ?? 'backend_failed', message, ms === undefined ? {} : { retryAfter: ms / 1000 })
}
