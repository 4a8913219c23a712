/** The models that can be asked: the target, by each of its names. The draft and the judge only help. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Models } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { App } from '../settings.ts'
import { engineOf } from '../upstreams/index.ts'
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

/** @throws {ProtocolError} as the engine's `target` does */
async function served({ env, var: { requestId } }: Context<App>): Promise<Models['data']> {
  const target = await engineOf(env).target(env, requestId)
  return target ? servedNames(env).map((id) => ({ ...target, id })) : []
}
