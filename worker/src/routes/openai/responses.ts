/** `POST /v1/responses`, as in Open Responses: text and reasoning, kept only where that is asked for. @see https://www.openresponses.org/specification */
import { parseRequest } from '@lookahead/sdk/protocol'
import type { Message } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import type { Dialect } from './dialect.ts'
import {
  ALL_TOKENS,
  NO_TOOLS,
  callsNoTools,
  common,
  flag,
  freeObject,
  maybe,
  positive,
  refused,
  textFormat,
  toRun,
  toolEntries,
} from './fields.ts'
import { content, role } from './messages.ts'
import { readModel } from './model-name.ts'
import { ResponseEncoder } from './response-encoder.ts'

const MAX_ITEMS = 4096

/** What was thought in an earlier turn: models that think are not shown it again. */
const ReasoningItem = v.pipe(
  v.looseObject({ type: v.literal('reasoning') }),
  v.transform((): Message[] => []),
)

const MessageItem = v.pipe(
  v.looseObject({
    type: v.optional(v.literal('message')),
    role,
    content: content('input_text', 'output_text', 'text'),
  }),
  v.transform(({ role: of, content: text }): Message[] => [{ role: of, content: text }]),
)

const InputItem = v.lazy((item): v.GenericSchema<unknown, Message[]> => {
  const type = (item as { type?: unknown } | null)?.type
  return type === 'reasoning' ? ReasoningItem : MessageItem
})

const NOTHING_KEPT = 'no response goes on from another: send the whole conversation'

export const ResponseRequest = v.pipe(
  v.object({
    ...common,
    ...toolEntries,
    input: v.pipe(
      v.union(
        [v.pipe(v.string(), v.minLength(1)), v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(MAX_ITEMS))],
        `must be a text that is not empty, or 1 to ${MAX_ITEMS} items`,
      ),
      v.transform((input) => (typeof input === 'string' ? [{ role: 'user', content: input }] : input)),
      v.array(InputItem),
    ),
    instructions: maybe(v.string()),
    /** Default: as many as the model has room for. */
    max_output_tokens: maybe(positive),
    text: maybe(v.looseObject({ format: textFormat })),
    metadata: maybe(freeObject),
    /** What is told beside; what is not ours to tell is left out. */
    include: maybe(v.array(v.string())),
    previous_response_id: refused(NOTHING_KEPT),
    conversation: refused(NOTHING_KEPT),
    /** Keeps the response, which is written then whoever listens, where the worker can. Default: as `background` says. */
    store: maybe(v.boolean()),
    /** Answers at once, and keeps the response. */
    background: flag(false),
    prompt: refused('write it into input'),
  }),
  v.forward(
    v.check(({ store, background }) => store !== false || !background, 'needs "store": true'),
    ['background'],
  ),
  v.forward(
    v.check((request) => callsNoTools(request), NO_TOOLS),
    ['tools'],
  ),
)

export const responses: Dialect = (body, env) => {
  const request = parseRequest(ResponseRequest, body)
  const { name: model, lookahead } = readModel(env, request.model)
  const { instructions, input, max_output_tokens, stream, temperature, top_p, metadata } = request
  const system: Message[] = instructions ? [{ role: 'system', content: instructions }] : []
  const messages = [...system, ...input.flat()]
  const run = toRun(request, { messages, max_tokens: max_output_tokens ?? ALL_TOKENS, lookahead })
  const withSteps = request.include?.includes('lookahead.events') ?? false
  const { background } = request
  // Clients ask for it as a matter of course: where nothing can be stored, that is no error, and the answer says so.
  const store = background || (request.store === true && env.RUNS !== undefined)
  const note = { model, instructions, max_output_tokens, temperature, top_p, metadata, store, background, withSteps }
  const stored = store ? { note, isAwaited: !background } : undefined
  return { run, stream, stored, encoder: (named) => new ResponseEncoder(named, note) }
}
