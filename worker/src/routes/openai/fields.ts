/**
 * Fields that requests of all of OpenAI's dialects have. Ordinary ones never fail a client: `null` is as good as leaving a
 * field out, and unknown ones are ignored. What would change the answer and cannot be done is refused by name.
 */
import { ProtocolError, RunRequest, Sampling, Seed, dictionary, list, parseRequest } from '@lookahead/sdk/protocol'
import type { RunRequestInput } from '@lookahead/sdk/protocol'
import * as v from 'valibot'

export const count = v.pipe(v.number(), v.integer(), v.minValue(0))
export const positive = v.pipe(v.number(), v.integer(), v.minValue(1))

/** Left out, `null`, or of this schema. */
export const maybe = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  )

/** An object as it was given, whatever its keys. */
export const freeObject = v.pipe(
  dictionary(v.unknown()),
  v.transform((entries): object => Object.fromEntries(entries)),
)

export const flag = (fallback: boolean) => v.nullish(v.boolean(), fallback)

const NOTHING: ReadonlySet<string> = new Set(['null', 'false', '""', '[]', '{}'])
const saysNothing = (value: unknown): boolean => value === undefined || NOTHING.has(JSON.stringify(value))

/** A field that must be left out, or say nothing. @param neutral further values that say nothing */
export const refused = (why: string, ...neutral: unknown[]) =>
  v.optional(
    v.pipe(
      v.unknown(),
      v.check((value) => saysNothing(value) || neutral.includes(value), `is not supported: ${why}`),
    ),
  )

const ONE_TEXT = 'a request gets one text; send it again for another'
const NO_LOGPROBS = "log-probabilities are the backend's own API to give"
const AS_IT_IS = 'tokens are drawn as the models give them'

/** What all three dialects have in common. */
export const common = {
  /** A name that `GET /v1/models` lists, and perhaps a suffix: see `readModel`. */
  model: maybe(v.string()),
  stream: flag(false),
  temperature: maybe(v.unwrap(Sampling.entries.temperature)),
  top_p: maybe(v.unwrap(Sampling.entries.top_p)),
  /** -1 keeps all, as 0 does. */
  top_k: maybe(v.pipe(v.number(), v.integer(), v.minValue(-1))),
  min_p: maybe(v.unwrap(Sampling.entries.min_p)),
  seed: maybe(Seed),
  stop: v.pipe(
    v.nullish(
      v.union(
        [v.string(), list(4, v.pipe(v.string(), v.minLength(1)))],
        'must be a string, or up to 4, none of them empty',
      ),
    ),
    v.transform((stop) => (typeof stop === 'string' ? [stop].filter(Boolean) : (stop ?? []))),
  ),
  stop_in_reasoning: flag(false),
  /** How to look ahead: the field of `POST /v1/runs`. */
  lookahead: maybe(freeObject),
  n: refused(ONE_TEXT, 1),
  best_of: refused(ONE_TEXT, 1),
  logprobs: refused(NO_LOGPROBS),
  top_logprobs: refused(NO_LOGPROBS, 0),
  prompt_logprobs: refused(NO_LOGPROBS),
  presence_penalty: refused(AS_IT_IS, 0),
  frequency_penalty: refused(AS_IT_IS, 0),
  repetition_penalty: refused(AS_IT_IS, 1),
  logit_bias: refused(AS_IT_IS),
  min_tokens: refused('a text ends where the model ends it', 0),
  structured_outputs: refused('the output cannot be held to a grammar'),
  guided_json: refused('the output cannot be held to a grammar'),
  guided_regex: refused('the output cannot be held to a grammar'),
  guided_choice: refused('the output cannot be held to a grammar'),
  guided_grammar: refused('the output cannot be held to a grammar'),
}

/** Only text is written. */
export const textFormat = maybe(v.looseObject({ type: v.literal('text', 'is not supported: only "text" is') }))

/** Tools that may not be called change nothing. */
export const toolEntries = {
  tools: v.optional(v.unknown()),
  tool_choice: maybe(v.picklist(['none', 'auto'], 'is not supported: the models call no tools')),
}
export const callsNoTools = ({ tools, tool_choice }: { tools?: unknown; tool_choice?: string | undefined }): boolean =>
  tool_choice === 'none' || saysNothing(tools)
export const NO_TOOLS = 'is not supported: the models call no tools; leave it out, or set "tool_choice": "none"'

type Common = v.InferOutput<v.ObjectSchema<typeof common, undefined>>

/** The run that a request asks for. @param rest prompt, token limit, and what the model's name says of looking ahead */
export function toRun(
  { temperature, top_p, top_k, min_p, seed, stop, stop_in_reasoning, lookahead }: Common,
  { lookahead: named, ...rest }: RunRequestInput,
): RunRequest {
  const sampling = { temperature, top_p, top_k: top_k === -1 ? 0 : top_k, min_p, seed }
  return parseRequest(RunRequest, { ...rest, sampling, stop, stop_in_reasoning, lookahead: { ...named, ...lookahead } })
}

/** As many tokens as the model has room for. */
export const ALL_TOKENS = 2 ** 20

export const refuse = (param: string, why: string): never => {
  throw new ProtocolError(400, 'invalid_request', `${param}: ${why}`, { param })
}
