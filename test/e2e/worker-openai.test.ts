/** The worker speaks to OpenAI's own client, on all three endpoints. */
import OpenAI, { APIError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startBackend, startWorker } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import { backendHealth, problems } from './ask.ts'

const openai = (options = {}) =>
  new OpenAI({ baseURL: `${inject('workerURL')}/v1`, apiKey: 'none', maxRetries: 0, ...options })
const client = openai()

/** Fields that OpenAI's types do not know go along all the same. */
const lookahead = { mode: 'lr+sd', depth: 4, verifier: 'judge' } as const
const messages = [{ role: 'user' as const, content: problems[0]!.question }]
const greedy = { model: 'target', messages, temperature: 0, max_completion_tokens: 400, lookahead }

interface Thoughts {
  reasoning?: string | null
  reasoning_content?: string | null
}
interface Extras {
  lookahead?: { events: { type: string; stats?: { drafted_steps: number } }[] }
}
const typesIn = (from: object): string[] => ((from as Extras).lookahead?.events ?? []).map(({ type }) => type)

it('lists the model, and tells about it', async () => {
  const ids: string[] = []
  for await (const { id } of client.models.list()) ids.push(id)
  expect(ids).toEqual(['target'])
  expect(await client.models.retrieve('target')).toMatchObject({ id: 'target', object: 'model' })
  await expect(client.models.retrieve('draft')).rejects.toThrow(NotFoundError)
})

describe('chat completions', () => {
  it('in one piece: answer, thoughts, usage, and how the steps came about', async () => {
    const { data: answer, request_id } = await client.chat.completions.create(greedy).withResponse()
    const { message, finish_reason } = answer.choices[0]!
    const { reasoning, reasoning_content } = message as Thoughts
    expect(finish_reason).toBe('stop')
    expect(message.content).toContain(`\\boxed{${problems[0]!.answer}}`)
    expect(reasoning).toBe(reasoning_content)
    expect(reasoning!.length).toBeGreaterThan(20)
    const { completion_tokens, prompt_tokens, total_tokens, completion_tokens_details } = answer.usage!
    expect(total_tokens).toBe(prompt_tokens + completion_tokens)
    expect(completion_tokens_details!.reasoning_tokens).toBeGreaterThan(completion_tokens / 2)
    expect(completion_tokens_details!.reasoning_tokens).toBeLessThan(completion_tokens)
    expect(typesIn(answer)).toEqual(expect.arrayContaining(['run.started', 'step.drafted', 'run.completed']))
    expect(request_id).toBe(answer.id.replace('chatcmpl-', ''))
  })

  it('streams the same, by the chunk and by the helper', async () => {
    const whole = (await client.chat.completions.create(greedy)).choices[0]!.message
    const usage = { stream_options: { include_usage: true } }
    const stream = await client.chat.completions.create({ ...greedy, ...usage, stream: true })
    const seen = { content: '', reasoning: '', reasoning_content: '', types: [] as string[], tokens: 0 }
    for await (const chunk of stream) {
      const delta = (chunk.choices[0]?.delta ?? {}) as Thoughts & { content?: string }
      seen.content += delta.content ?? ''
      seen.reasoning += delta.reasoning ?? ''
      seen.reasoning_content += delta.reasoning_content ?? ''
      seen.types.push(...typesIn(chunk))
      seen.tokens = chunk.usage?.completion_tokens ?? 0
    }
    const { reasoning } = whole as Thoughts
    expect(seen).toMatchObject({ content: whole.content, reasoning, reasoning_content: reasoning })
    expect(seen.types).toContain('step.drafted')
    expect(seen.tokens).toBeGreaterThan(20)
    const helped = await client.chat.completions.stream({ ...greedy, ...usage }).finalChatCompletion()
    expect([helped.choices[0]!.message.content, helped.usage!.completion_tokens]).toEqual([seen.content, seen.tokens])
  })

  it('lets the name of the model say how to look ahead', async () => {
    const { lookahead: _, ...plain } = greedy
    const answer = await client.chat.completions.create({ ...plain, model: 'target:sd', max_completion_tokens: 20 })
    expect((answer as Extras).lookahead!.events[0]).toMatchObject({ type: 'run.started', mode: 'sd' })
  })

  it('refuses what it cannot do, and names the field', async () => {
    const tool = { type: 'function' as const, function: { name: 'add' } }
    const call = client.chat.completions.create({ ...greedy, tools: [tool] })
    await expect(call).rejects.toThrow(BadRequestError)
    await expect(call).rejects.toMatchObject({ status: 400, param: 'tools', requestID: expect.any(String) })
    const harmless = {
      tools: [tool],
      tool_choice: 'none' as const,
      stop: [],
      response_format: { type: 'text' as const },
    }
    const { choices } = await client.chat.completions.create({ ...greedy, ...harmless, max_completion_tokens: 5 })
    expect(choices[0]!.finish_reason).toBe('length')
  })

  it('says before it streams that a prompt is too long', async () => {
    const long = [{ role: 'user' as const, content: 'long '.repeat(8000) }]
    const call = client.chat.completions.create({ ...greedy, messages: long, stream: true })
    await expect(call).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' })
  })
})

describe('completions', () => {
  const request = { model: 'target', prompt: 'Step by step:', max_tokens: 12, temperature: 0 }

  it('go on with a prompt, streaming or not', async () => {
    const { choices, usage } = await client.completions.create(request)
    expect([choices[0]!.finish_reason, usage!.completion_tokens]).toEqual(['length', 12])
    let streamed = ''
    for await (const chunk of await client.completions.create({ ...request, stream: true }))
      streamed += chunk.choices[0]!.text
    expect(streamed).toBe(choices[0]!.text)
  })
})

describe('responses', () => {
  const request = { model: 'target', input: problems[0]!.question, temperature: 0, max_output_tokens: 400, lookahead }
  const thoughts = (response: OpenAI.Responses.Response): string =>
    response.output.map((item) => (item.type === 'reasoning' ? item.content![0]!.text : '')).join('')

  it('in one piece, and as a stream that the helper puts together', async () => {
    const whole = await client.responses.create(request)
    expect([whole.status, whole.output_text]).toEqual(['completed', expect.stringContaining('\\boxed')])
    expect(thoughts(whole).length).toBeGreaterThan(20)
    expect(whole.usage!.output_tokens_details.reasoning_tokens).toBeGreaterThan(20)
    expect(whole.usage!.input_tokens_details).toEqual({ cached_tokens: 0, cache_write_tokens: 0 })
    const stream = client.responses.stream(request)
    const types = new Set<string>()
    const deltas = { reasoning: '', answer: '' }
    let number = 0
    for await (const event of stream) {
      types.add(event.type)
      expect(event.sequence_number).toBe(number++)
      if (event.type === 'response.reasoning_text.delta') deltas.reasoning += event.delta
      if (event.type === 'response.output_text.delta') deltas.answer += event.delta
    }
    expect(deltas).toEqual({ reasoning: thoughts(whole), answer: whole.output_text })
    expect([...types].filter((type) => !type.startsWith('response.'))).toEqual([])
    const final = await stream.finalResponse()
    expect([final.output_text, thoughts(final)]).toEqual([whole.output_text, thoughts(whole)])
  })

  it('have the events of steps between the others, where they are asked for', async () => {
    const include = ['lookahead.events'] as never
    const types: string[] = []
    for await (const { type } of await client.responses.create({ ...request, include, stream: true })) types.push(type)
    expect(types).toEqual(expect.arrayContaining(['lookahead:step.drafted', 'lookahead:run.completed']))
    expect(types.at(-1)).toBe('response.completed')
  })

  it('end incomplete at the limit', async () => {
    const { status, incomplete_details } = await client.responses.create({ ...request, max_output_tokens: 8 })
    expect([status, incomplete_details]).toEqual(['incomplete', { reason: 'max_output_tokens' }])
  })
})

describe('a client that leaves', () => {
  const endless = {
    ...greedy,
    messages: [{ role: 'user' as const, content: 'Count as far as you can.' }],
    temperature: 2,
    max_completion_tokens: 1900,
    lookahead: { mode: 'ar' as const },
  }
  const settled = () => expect.poll(async () => (await backendHealth()).running)

  it('in the middle of a stream frees the engine', async () => {
    const stream = await client.chat.completions.create({ ...endless, stream: true })
    for await (const _ of stream) break
    await settled().toBe(0)
  })

  it('while it waits for the whole frees it too', async () => {
    const controller = new AbortController()
    const call = client.chat.completions.create(endless, { signal: controller.signal })
    call.catch(() => undefined)
    await settled().toBe(1)
    controller.abort()
    await expect(call).rejects.toThrow(APIError)
    await settled().toBe(0)
  })
})

describe('a worker of its operator', () => {
  let backend: Server
  let worker: Server
  beforeAll(async () => {
    backend = await startBackend()
    worker = await startWorker({
      backendURL: backend.url,
      vars: { API_KEY: 'secret', MODEL_NAME: 'mine' },
      // New runs wait a third of it for a backend that is away.
      timeoutSeconds: 15,
    })
  })
  afterAll(async () => {
    await worker.stop()
    await backend.stop()
  })
  const of = (options = {}) => openai({ baseURL: `${worker.url}/v1`, apiKey: 'secret', ...options })

  it('asks for the key', async () => {
    const call = of({ apiKey: 'other' }).chat.completions.create(greedy)
    await expect(call).rejects.toThrow(AuthenticationError)
    await expect(call).rejects.toMatchObject({ code: 'invalid_api_key', requestID: expect.any(String) })
  })

  it('is asked again by a client that retries, until the backend is there', async () => {
    await backend.kill()
    await expect(of().chat.completions.create(greedy)).rejects.toThrow(InternalServerError)
    const asked = { ...greedy, model: 'mine', max_completion_tokens: 8 }
    const call = of({ maxRetries: 60 }).chat.completions.create(asked)
    backend = await startBackend({ port: Number(new URL(backend.url).port) })
    expect(await call).toMatchObject({ model: 'mine', choices: [{ finish_reason: 'length' }] })
    expect((await of().models.list()).data.map(({ id }) => id)).toEqual(['mine', 'target'])
  })
})
