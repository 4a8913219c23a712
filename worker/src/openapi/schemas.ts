/** What the worker takes and gives, as JSON Schemas made from its validators. */
import {
  ErrorBody,
  Health,
  HealthDetails,
  Message,
  Models,
  RunEvent,
  RunRequest,
  RunStats,
  Sampling,
  StepRules,
  StoredRun,
  Usage,
} from '@lookahead/sdk/protocol'
import { toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema'
import type { ConversionConfig } from '@valibot/to-json-schema'
import { ChatRequest } from '../routes/openai/chat.ts'
import { CompletionRequest } from '../routes/openai/completions.ts'
import { ResponseRequest } from '../routes/openai/responses.ts'

const definitions = {
  RunRequest,
  RunEvent,
  RunStats,
  StoredRun,
  Usage,
  Message,
  Sampling,
  StepRules,
  ChatRequest,
  CompletionRequest,
  Models,
  Health,
  HealthDetails,
  Error: ErrorBody,
}

const config: ConversionConfig = {
  target: 'draft-2020-12',
  // What a schema cannot say (that a text is not only white space, for example) is said by the 400 that it leads to.
  errorMode: 'ignore',
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  // All of ours are texts: names, and words of lists that may grow.
  overrideSchema: ({ valibotSchema }) => (valibotSchema.type === 'custom' ? { type: 'string' } : undefined),
  overrideAction({ valibotAction, jsonSchema }) {
    if (valibotAction.type === 'safe_integer') return { ...jsonSchema, type: 'integer' }
    const said = valibotAction.type === 'check' && 'message' in valibotAction ? valibotAction.message : undefined
    const most = typeof said === 'string' ? /^has more than (\d+) entries$/.exec(said)?.[1] : undefined
    if (most !== undefined) return { ...jsonSchema, maxItems: Number(most) }
    return typeof said === 'string' ? { ...jsonSchema, description: said } : undefined
  },
}

type SchemaName = keyof typeof definitions | 'ResponseRequest'

export const schemas = (): Record<SchemaName, object> => ({
  ...toJsonSchemaDefs(definitions, config),
  // Its input is a text or items, and read as items.
  ResponseRequest: toJsonSchema(ResponseRequest, { ...config, typeMode: 'input' }),
})

export const ref = (name: SchemaName): object => ({ $ref: `#/components/schemas/${name}` })
