/** What clients of OpenAI's API may send to the worker, what they may not, and the run that comes of it. */
import { describe, expect, test } from 'vitest'
import { ask, paths, play } from './ask-openai.ts'

const refusal = async (response: Response) =>
  [response.status, ((await response.json()) as { error: { param: string | null } }).error.param] as const

describe('ordinary parameters fail no client', () => {
  const harmless = {
    n: 1,
    user: 'me',
    stop: null,
    seed: null,
    logprobs: null,
    top_logprobs: 0,
    presence_penalty: 0,
    frequency_penalty: 0,
    logit_bias: {},
    min_tokens: 0,
    service_tier: 'auto',
    store: true,
    stream_options: null,
    something_of_tomorrow: { a: 1 },
  }
  test.each([
    ['/v1/chat/completions', harmless],
    [
      '/v1/chat/completions',
      { stop: '', tools: [], tool_choice: 'auto', response_format: { type: 'text' }, logprobs: false },
    ],
    [
      '/v1/chat/completions',
      { stop: [], tools: [{ type: 'function' }], tool_choice: 'none', parallel_tool_calls: true },
    ],
    [
      '/v1/chat/completions',
      { functions: [{ name: 'f' }], function_call: 'none', modalities: ['text'], reasoning_effort: 'low' },
    ],
    ['/v1/chat/completions', { stream: true, stream_options: { include_usage: true, include_obfuscation: false } }],
    ['/v1/completions', { ...harmless, echo: false, best_of: 1, suffix: null }],
    ['/v1/completions', { prompt: ['one'] }],
    [
      '/v1/responses',
      { ...harmless, tools: [], tool_choice: 'auto', text: { format: { type: 'text' }, verbosity: 'low' } },
    ],
    [
      '/v1/responses',
      { reasoning: { effort: 'low' }, include: [], truncation: 'auto', background: false, metadata: { a: 'b' } },
    ],
  ])('%s %j', async (path, body) => {
    const { status, text } = await play(path, body)
    expect([status, text]).toEqual([200, expect.stringContaining('boxed{3}')])
  })
})

describe('what cannot be done is refused, and the field named', () => {
  test.each([
    ...paths.flatMap((path): [string, object, string][] => [
      [path, { n: 2 }, 'n'],
      [path, { logit_bias: { 5: 1 } }, 'logit_bias'],
      [path, { presence_penalty: 0.5 }, 'presence_penalty'],
      [path, { min_tokens: 5 }, 'min_tokens'],
      [path, { top_logprobs: 3 }, 'top_logprobs'],
      [path, { temperature: 3 }, 'temperature'],
      [path, { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
      [path, { stream: 'yes' }, 'stream'],
      [path, { lookahead: { gamma: 3 } }, 'lookahead.gamma'],
    ]),
    ['/v1/chat/completions', { messages: [] }, 'messages'],
    ['/v1/chat/completions', { messages: undefined }, 'messages'],
    ['/v1/chat/completions', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role'],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages.0.content'],
    ['/v1/chat/completions', { messages: [{ role: 'assistant', tool_calls: [{}] }] }, 'messages.0.tool_calls'],
    ['/v1/chat/completions', { tools: [{ type: 'function' }] }, 'tools'],
    ['/v1/chat/completions', { tools: [{ type: 'function' }], tool_choice: 'required' }, 'tool_choice'],
    ['/v1/chat/completions', { functions: [{ name: 'f' }] }, 'functions'],
    ['/v1/chat/completions', { response_format: { type: 'json_schema' } }, 'response_format.type'],
    ['/v1/chat/completions', { logprobs: true }, 'logprobs'],
    ['/v1/chat/completions', { modalities: ['text', 'audio'] }, 'modalities.1'],
    ['/v1/chat/completions', { max_tokens: 0 }, 'max_tokens'],
    ['/v1/completions', { prompt: ['a', 'b'] }, 'prompt'],
    ['/v1/completions', { prompt: [1, 2] }, 'prompt'],
    ['/v1/completions', { logprobs: 0 }, 'logprobs'],
    ['/v1/completions', { echo: true }, 'echo'],
    ['/v1/completions', { suffix: 'end' }, 'suffix'],
    ['/v1/completions', { best_of: 2 }, 'best_of'],
    ['/v1/responses', { input: '' }, 'input'],
    ['/v1/responses', { input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input.0.content'],
    ['/v1/responses', { input: [{ type: 'function_call_output', output: 'x' }] }, 'input.0.type'],
    ['/v1/responses', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['/v1/responses', { background: true, store: false }, 'background'],
    ['/v1/responses', { tools: [{ type: 'web_search' }] }, 'tools'],
    ['/v1/responses', { text: { format: { type: 'json_schema' } } }, 'text.format.type'],
    ['/v1/responses', { metadata: ['a'] }, 'metadata'],
    ['/v1/responses', { lookahead: { constructor: 1 } }, 'lookahead.constructor'],
  ] as [string, object, string][])('%s %j', async (path, body, param) => {
    const response = await ask({ BACKEND_URL: 'http://127.0.0.1:9' }, path, body)
    expect(await refusal(response)).toEqual([400, param])
    expect(response.headers.get('x-request-id')).toBeTruthy()
  })
})

test('metadata come back as they were sent, whatever their keys', async () => {
  const metadata = JSON.parse('{"constructor":"a","prototype":"b","__proto__":"c","x":"d"}') as object
  const { text } = await play('/v1/responses', { metadata })
  const echoed = JSON.parse(text) as { metadata: object }
  expect(Object.entries(echoed.metadata)).toEqual(Object.entries(metadata))
})

describe('a request becomes a run', () => {
  test('of a chat: roles, parts of text, sampling, limits', async () => {
    const { asked } = await play('/v1/chat/completions', {
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'assistant', content: null, reasoning_content: 'Hm.', refusal: null },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'One,' },
            { type: 'text', text: 'two?' },
          ],
        },
      ],
      temperature: 0.5,
      top_k: -1,
      min_p: 0.1,
      seed: 7,
      stop: 'END',
      stop_in_reasoning: true,
      max_tokens: 3,
      max_completion_tokens: 9,
    })
    expect(asked).toMatchObject({
      context: {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'assistant', content: '' },
          { role: 'user', content: 'One,\ntwo?' },
        ],
      },
      sampling: { temperature: 0.5, top_k: 0, min_p: 0.1, seed: 7 },
      stop: ['END'],
      stop_in_reasoning: true,
      max_tokens: 9,
    })
  })

  test('of a completion: the prompt as it stands, 16 tokens', async () => {
    expect((await play('/v1/completions', { prompt: ' x\n' })).asked).toMatchObject({
      context: { prompt: ' x\n' },
      max_tokens: 16,
    })
  })

  test('of a response: instructions first, earlier answers without their thoughts', async () => {
    const { asked } = await play('/v1/responses', {
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'One?' },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Two.', annotations: [] }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Three?' }] },
      ],
      max_output_tokens: 9,
    })
    expect(asked).toMatchObject({
      context: {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'One?' },
          { role: 'assistant', content: 'Two.' },
          { role: 'user', content: 'Three?' },
        ],
      },
      max_tokens: 9,
    })
  })

  const sd = { mode: 'sd' }
  test.each([
    ['target', sd, { ngram: 8 }, 'likelihood'],
    ['target:ar', undefined, { ngram: 0 }, 'likelihood'],
    ['target:sd:exact', undefined, { ngram: 8 }, 'exact'],
    ['target:exact', sd, { ngram: 8 }, 'exact'],
    ['target:ar', { mode: 'sd', verifier: 'score' }, { ngram: 8 }, 'score'],
    ['qwen:8b:ar', undefined, { ngram: 0 }, 'likelihood'],
    ['qwen:8b', sd, { ngram: 8 }, 'likelihood'],
  ])('of the model "%s" with lookahead %j', async (model, lookahead, speculation, verifier) => {
    const { asked } = await play('/v1/chat/completions', { model, lookahead }, { MODEL_NAME: 'qwen:8b' })
    expect(asked).toMatchObject({ verifier, speculation })
  })
})
