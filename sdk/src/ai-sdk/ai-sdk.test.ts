/** The provider by itself; with `streamText` and a real worker it is tested in `test/e2e`. */
import { APICallError, NoSuchModelError, UnsupportedFunctionalityError } from '@ai-sdk/provider'
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { afterAll, describe, expect, test } from 'vitest'
import { baseURL, events, script, staged, stats, stopServer, wire } from '../../test/server.ts'
import type { RunEvent } from '../index.ts'
import { ProtocolError } from '../protocol/index.ts'
import { createLookahead, stepsAsData } from './index.ts'

afterAll(stopServer)

const provider = createLookahead({ baseURL })
const prompt: LanguageModelV4CallOptions['prompt'] = [
  { role: 'system', content: 'Be brief.' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'What is ' },
      { type: 'text', text: '6 * 7?' },
    ],
  },
]

async function read<T>(stream: ReadableStream<T>): Promise<T[]> {
  const all: T[] = []
  for await (const part of stream) all.push(part)
  return all
}
const parts = async (options: Partial<LanguageModelV4CallOptions> = {}) =>
  read((await provider().doStream({ prompt, ...options })).stream)
const types = (list: readonly LanguageModelV4StreamPart[]) =>
  list.map((part) => part.type).filter((type) => type !== 'ping')

test('a run becomes parts: reasoning and text in blocks, every step as it comes, one finish', async () => {
  script(staged([wire(events)]).response)
  const list = await parts()
  expect(types(list)).toEqual([
    'stream-start',
    'response-metadata',
    'custom',
    'custom',
    'custom',
    'reasoning-start',
    'reasoning-delta',
    'custom',
    'custom',
    'reasoning-delta',
    'reasoning-end',
    'text-start',
    'text-delta',
    'text-end',
    'finish',
  ])
  const steps = list.flatMap((part) => (part.type === 'custom' ? [part.providerMetadata!['lookahead']] : []))
  expect(steps).toEqual(events.filter(({ type }) => type.startsWith('step.')))
  expect(list.at(-1)).toMatchObject({
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: { inputTokens: { total: 4 }, outputTokens: { total: 9 } },
    providerMetadata: { lookahead: { runId: 'run_1', stats } },
  })
})

test('a run that failed before its first text starts the stream once', async () => {
  const failed = { type: 'run.failed', code: 'target_unavailable', message: 'm' }
  const again = [{ ...events[0]!, run_id: 'run_2' }, ...events.slice(1)]
  script(staged([wire([events[0]!, failed])]).response, staged([wire(again)]).response)
  const patient = createLookahead({ baseURL, maxRetries: 1 })
  const list = await read((await patient().doStream({ prompt })).stream)
  expect(list.filter(({ type }) => type === 'stream-start' || type === 'error')).toHaveLength(1)
  expect(list.at(-1)).toMatchObject({ type: 'finish', providerMetadata: { lookahead: { runId: 'run_2' } } })
})

test('in one piece', async () => {
  script(staged([wire(events)]).response)
  const { content, finishReason, warnings, response } = await provider('mine').doGenerate({ prompt })
  expect(content.filter(({ type }) => type !== 'custom')).toEqual([
    { type: 'reasoning', text: 'Grüße ✓.\n\nRight.\n\n' },
    { type: 'text', text: 'The answer is 42.' },
  ])
  expect(content.filter(({ type }) => type === 'custom')).toHaveLength(5)
  expect([finishReason.unified, warnings, response]).toEqual(['stop', [], expect.objectContaining({ modelId: 'mine' })])
})

test('a call is sent as a run; what a run does not know is warned of', async () => {
  const { requests } = script(staged([wire(events)]).response)
  const model = provider('target', { mode: 'lr', depth: 3 })
  const { stream } = await model.doStream({
    prompt: [
      ...prompt,
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm.' },
          { type: 'custom', kind: 'lookahead.step' },
          { type: 'text', text: '42.' },
        ],
      },
    ],
    temperature: 0.5,
    topK: 5,
    seed: 1,
    maxOutputTokens: 7,
    stopSequences: ['END'],
    frequencyPenalty: 1,
    responseFormat: { type: 'json' },
    tools: [{ type: 'function', name: 'add', inputSchema: {} }],
    providerOptions: { lookahead: { mode: 'sd' } },
  })
  const [start] = await read(stream)
  expect(JSON.parse(requests[0]!.body)).toEqual({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What is 6 * 7?' },
      { role: 'assistant', content: '42.' },
    ],
    sampling: { temperature: 0.5, top_k: 5, seed: 1 },
    max_tokens: 7,
    stop: ['END'],
    lookahead: { mode: 'sd', depth: 3 },
  })
  expect(start).toEqual({
    type: 'stream-start',
    warnings: ['frequencyPenalty', 'responseFormat', 'tools'].map((feature) => ({ type: 'unsupported', feature })),
  })
  const file = { type: 'file' as const, mediaType: 'image/png', data: { type: 'data' as const, data: 'AA==' } }
  const withImage = [{ role: 'user' as const, content: [file] }]
  await expect(model.doStream({ prompt: withImage })).rejects.toThrow(UnsupportedFunctionalityError)
})

describe('failures', () => {
  test('before the first event fail the call, and say whether to try again', async () => {
    script(
      new ProtocolError(503, 'loading', 'Not yet.').toResponse(),
      new ProtocolError(400, 'invalid_request', 'No.').toResponse(),
    )
    const first: unknown = await parts().catch((error: unknown) => error)
    expect(APICallError.isInstance(first)).toBe(true)
    expect(first).toMatchObject({ statusCode: 503, isRetryable: true, url: `${baseURL}/v1/runs` })
    await expect(parts()).rejects.toMatchObject({
      statusCode: 400,
      isRetryable: false,
      data: { code: 'invalid_request' },
    })
    script(staged([wire([{ type: 'run.failed', code: 'overloaded', message: 'm' } as RunEvent])]).response)
    await expect(parts()).rejects.toMatchObject({ isRetryable: true, data: { code: 'overloaded' } })
  })

  test('on the way are parts; a stream that is cut is no complete one', async () => {
    script(staged([wire(events.slice(0, 5))]).response)
    const list = await parts()
    expect(types(list).at(-1)).toBe('error')
    expect(list.at(-1)).toMatchObject({ error: { data: { code: 'ended_early' } } })
    script(staged([wire(events.slice(0, 5))]).response)
    await expect(provider().doGenerate({ prompt })).rejects.toMatchObject({ data: { code: 'ended_early' } })
  })

  test('an abort is told in its own words, and closes the connection, as cancelling does', async () => {
    const held = staged([wire(events.slice(0, 5))], 'stall')
    script(held.response)
    const controller = new AbortController()
    const { stream } = await provider().doStream({ prompt, abortSignal: controller.signal })
    const reader = stream.getReader()
    await reader.read()
    controller.abort(new Error('enough'))
    let last: LanguageModelV4StreamPart | undefined
    for (let next = await reader.read(); !next.done; next = await reader.read()) last = next.value
    expect(last).toEqual({ type: 'error', error: new Error('enough') })
    await expect.poll(() => held.closed).toBe(true)

    const left = staged([wire(events.slice(0, 5))], 'stall')
    script(left.response)
    await (await provider().doStream({ prompt })).stream.cancel()
    await expect.poll(() => left.closed).toBe(true)
  })

  test('there are only language models, and wrong options are told at once', () => {
    expect(() => provider.embeddingModel('x')).toThrow(NoSuchModelError)
    expect(() => createLookahead({ baseURL: 'nowhere' })).toThrow(/baseURL/)
  })
})

test('steps become data parts that change as the verifier rules', async () => {
  script(staged([wire(events)]).response)
  const { stream } = await provider().doStream({ prompt })
  const chunks = (await read(stream.pipeThrough(stepsAsData()))) as { type: string; id?: string; data?: object }[]
  expect(chunks.filter(({ type }) => type === 'custom')).toEqual([])
  expect(chunks.filter(({ type }) => type === 'data-step').map(({ id, data }) => [id, data])).toEqual([
    ['step-0', { step: 0, text: 'Grüße ✓.\n\n', fate: 'drafted' }],
    ['step-1', { step: 1, text: 'Wrong.\n\n', fate: 'drafted' }],
    ['step-0', { step: 0, text: 'Grüße ✓.\n\n', fate: 'accepted', reason: 'judge' }],
    ['step-1', { step: 1, text: 'Wrong.\n\n', fate: 'rejected', reason: 'judge' }],
    ['step-1', { step: 1, text: 'Right.\n\n', fate: 'corrected' }],
  ])
})

test('what happens to a run, and not to a step, makes no step', async () => {
  const happenings: RunEvent[] = [
    { type: 'run.waiting', code: 'target_unavailable', message: 'm' },
    { type: 'run.degraded', part: 'draft', code: 'draft_failed', message: 'm' },
  ]
  script(staged([wire([events[0]!, ...happenings, ...events.slice(1)])]).response)
  const { stream } = await provider().doStream({ prompt })
  const chunks = (await read(stream.pipeThrough(stepsAsData()))) as { type: string; id?: string }[]
  const ids = chunks.flatMap(({ type, id }) => (type === 'data-step' ? [id] : []))
  expect(new Set(ids)).toEqual(new Set(['step-0', 'step-1']))
})
