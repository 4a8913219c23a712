/** What the worker answers, route by route. A route that is not here fails a test. */
import { ref } from './schemas.ts'

const json = (schema: object) => ({ 'application/json': { schema } })
const stream = (schema: object) => ({ 'text/event-stream': { schema } })
const anything = { type: 'object' }

const headers = { 'x-request-id': { $ref: '#/components/headers/RequestId' } }
const answer = (description: string, content: object) => ({ description, headers, content })

/** The statuses of refusals: docs/http.md says which codes each has. */
const errors = {
  400: 'the request is wrong; `param` names the field',
  401: 'a key is asked for and was not shown',
  404: 'there is no such model, or no such run any more',
  413: 'the body is too large',
  422: 'the same `Idempotency-Key` came with another request before',
  429: 'too busy, or the key asks for too much; `Retry-After` says when to come again',
  500: 'the operator has to mend a setting',
  502: 'the engine failed, or refuses the worker',
  503: 'the engine is away; `Retry-After` says when to come again',
} as const

const refusals = (...statuses: (keyof typeof errors)[]) =>
  Object.fromEntries(
    statuses.map((status) => {
      const waits = status === 429 || status === 503
      const told = waits ? { ...headers, 'retry-after': { $ref: '#/components/headers/RetryAfter' } } : headers
      return [status, { description: errors[status], headers: told, content: json(ref('Error')) }]
    }),
  )

const state = { anyOf: [ref('Health'), ref('HealthDetails')] }

const asks = (schema: object) => ({ required: true, content: json(schema) })

/** One of OpenAI's dialects: a stream of events where `stream` is true, else one object. */
const dialect = (operationId: string, summary: string, request: object, see: string) => ({
  post: {
    operationId,
    summary,
    externalDocs: { url: see },
    requestBody: asks(request),
    responses: {
      200: answer('the answer, in one piece or as a stream', { ...json(anything), ...stream({ type: 'string' }) }),
      ...refusals(400, 401, 404, 413, 429, 500, 502, 503),
    },
  },
})

const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
const startingAfter = {
  name: 'starting_after',
  in: 'query',
  schema: { type: 'integer', minimum: 0 },
  description: 'the last known event',
}
const events = '`data` is a RunEvent, the last a terminal one'
const ofStored = refusals(401, 404, 500, 503)

const reference = 'https://platform.openai.com/docs/api-reference'

export const paths = {
  '/v1/runs': {
    post: {
      operationId: 'createRun',
      summary: 'Asks a question, and tells everything that happens until it is answered',
      parameters: [
        {
          name: 'Idempotency-Key',
          in: 'header',
          schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
          description: 'of stored runs: sent again with it, the request gets the same run',
        },
      ],
      requestBody: asks(ref('RunRequest')),
      responses: {
        200: answer(`server-sent events with ids from 0; ${events}`, stream(ref('RunEvent'))),
        ...refusals(400, 401, 413, 422, 429, 500, 502, 503),
      },
    },
  },
  '/v1/runs/{id}': {
    get: {
      operationId: 'getRun',
      summary: 'A stored run, and what it has written so far',
      parameters: [id],
      responses: { 200: answer('the run', json(ref('StoredRun'))), ...ofStored },
    },
  },
  '/v1/runs/{id}/events': {
    get: {
      operationId: 'getRunEvents',
      summary: 'The events of a stored run, those to come too',
      parameters: [
        id,
        startingAfter,
        {
          name: 'Last-Event-ID',
          in: 'header',
          schema: { type: 'integer', minimum: 0 },
          description: 'the same, and goes first',
        },
      ],
      responses: {
        200: answer(`server-sent events with their ids; ${events}`, stream(ref('RunEvent'))),
        204: { description: 'the terminal event is known', headers },
        ...refusals(400),
        ...ofStored,
      },
    },
  },
  '/v1/runs/{id}/cancel': {
    post: {
      operationId: 'cancelRun',
      summary: 'Ends a stored run that goes on',
      parameters: [id],
      responses: { 200: answer('the run, as it is then', json(ref('StoredRun'))), ...ofStored },
    },
  },
  '/v1/chat/completions': dialect(
    'createChatCompletion',
    "OpenAI's chat completions",
    ref('ChatRequest'),
    `${reference}/chat`,
  ),
  '/v1/completions': dialect(
    'createCompletion',
    "OpenAI's completions",
    ref('CompletionRequest'),
    `${reference}/completions`,
  ),
  '/v1/responses': dialect(
    'createResponse',
    'Open Responses',
    ref('ResponseRequest'),
    'https://www.openresponses.org/specification',
  ),
  '/v1/responses/{id}': {
    get: {
      operationId: 'getResponse',
      summary: 'A stored response, as it stands or as a stream',
      parameters: [
        id,
        { name: 'stream', in: 'query', schema: { type: 'boolean' } },
        { ...startingAfter, description: 'the `sequence_number` of the last known event' },
      ],
      responses: {
        200: answer('the response', { ...json(anything), ...stream({ type: 'string' }) }),
        ...refusals(400),
        ...ofStored,
      },
    },
    delete: {
      operationId: 'deleteResponse',
      summary: 'Ends it, if it goes on, and forgets it',
      parameters: [id],
      responses: { 200: answer('that it is deleted', json(anything)), ...ofStored },
    },
  },
  '/v1/responses/{id}/cancel': {
    post: {
      operationId: 'cancelResponse',
      summary: 'Ends a stored response that goes on',
      parameters: [id],
      responses: { 200: answer('the response, as it is then', json(anything)), ...ofStored },
    },
  },
  '/v1/models': {
    get: {
      operationId: 'listModels',
      summary: 'The model that can be asked, by each of its names',
      responses: { 200: answer('the models', json(ref('Models'))), ...refusals(401, 500, 502, 503) },
    },
  },
  '/v1/models/{id}': {
    get: {
      operationId: 'getModel',
      summary: 'One of them',
      parameters: [id],
      responses: { 200: answer('the model', json(anything)), ...refusals(401, 404, 500, 502, 503) },
    },
  },
  '/health': {
    get: {
      operationId: 'health',
      summary: 'Whether runs can be served',
      security: [],
      parameters: [
        {
          name: 'details',
          in: 'query',
          allowEmptyValue: true,
          schema: { type: 'string' },
          description: 'versions and times too',
        },
      ],
      responses: {
        200: answer('they can', json(state)),
        503: answer('they cannot, and why', json(state)),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This document',
      security: [],
      responses: { 200: answer('this document', json(anything)) },
    },
  },
}
