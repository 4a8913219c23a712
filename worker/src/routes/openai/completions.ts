/** `POST /v1/completions`: goes on with a prompt as it stands. Thinking is part of the text, its tags are not. */
import { parseRequest } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { ChunkEncoder } from './chunk-encoder.ts'
import type { Choices, ChunkOptions } from './chunk-encoder.ts'
import type { Dialect, Encoder, Named } from './dialect.ts'
import { common, flag, maybe, positive, refused, textFormat, toRun } from './fields.ts'
import { readModel } from './model-name.ts'

const text = v.pipe(v.string(), v.minLength(1))

export const CompletionRequest = v.object({
  ...common,
  prompt: v.pipe(
    v.union(
      [text, v.strictTuple([text])],
      'must be one text that is not empty: the worker takes neither token ids nor several',
    ),
    v.transform((prompt) => (typeof prompt === 'string' ? prompt : prompt[0])),
  ),
  max_tokens: v.nullish(positive, 16),
  stream_options: maybe(v.object({ include_usage: flag(false) })),
  response_format: textFormat,
  echo: refused('put the prompt before the text yourself'),
  suffix: refused('the models write only at the end'),
  prompt_embeds: refused('send text'),
})

export const completions: Dialect = (body, env) => {
  const request = parseRequest(CompletionRequest, body)
  const { name: model, lookahead } = readModel(env, request.model)
  const { prompt, max_tokens, stream, stream_options } = request
  const run = toRun(request, { prompt, max_tokens, lookahead })
  return { run, stream, encoder: (named) => completionEncoder(named, { model, stream_options }) }
}

export const completionEncoder = (named: Named, options: ChunkOptions): Encoder =>
  new ChunkEncoder(choices, named, options)

const choices: Choices = {
  id: 'cmpl',
  object: 'text_completion',
  chunkObject: 'text_completion',
  text: ({ text: written }) => ({ text: written }),
  last: { text: '' },
  whole: ({ text: written }) => ({ text: written }),
}
