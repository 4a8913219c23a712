/** The worker's HTTP surface for tools. @see https://spec.openapis.org/oas/v3.1.1.html */
import { Hono } from 'hono'
import { paths } from '../openapi/paths.ts'
import { schemas } from '../openapi/schemas.ts'
import type { App } from '../settings.ts'
import { VERSION } from '../version.ts'

export const openapi = new Hono<App>()

let made: object | undefined

openapi.get('/openapi.json', (c) => c.json((made ??= document())))

const document = (): object => ({
  openapi: '3.1.1',
  info: {
    title: 'Lookahead',
    version: VERSION,
    description: 'Reasoning with steps drafted ahead, each verified before it counts.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  // Whether keys are asked for is the operator's choice.
  security: [{ key: [] }, {}],
  paths,
  components: {
    schemas: schemas(),
    securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    headers: {
      RequestId: { description: 'Names the request; logs have it too.', schema: { type: 'string' } },
      RetryAfter: { description: 'Seconds.', schema: { type: 'integer' } },
    },
  },
})
