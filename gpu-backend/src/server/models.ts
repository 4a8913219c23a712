import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Models } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Service } from './service.ts'

/** `GET /v1/models` and `GET /v1/models/{id}`: the models by the role they have. */
export function modelRoutes(service: Service): Hono {
  const app = new Hono()
  const created = Math.floor(Date.now() / 1000)

  const models = (): Models['data'] =>
    service.ready().runners.map(({ role, runner: { capacity, model } }) => ({
      id: role,
      object: 'model',
      created,
      owned_by: 'lookahead',
      role,
      parameters: model.parameters,
      max_model_len: capacity,
    }))

  app.get('/v1/models', (c) => c.json({ object: 'list', data: models() }))

  app.get('/v1/models/:id', (c) => {
    const id = c.req.param('id')
    const all = models()
    const model = all.find((one) => one.id === id)
    if (model) return c.json(model)
    const names = all.map((one) => one.id).join(', ')
    throw new ProtocolError(404, 'model_not_found', `there is no model "${id}": there are ${names}`, { param: 'model' })
  })

  return app
}
