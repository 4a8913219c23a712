/** The backend speaks to OpenAI's own client. */
import OpenAI, { APIError, BadRequestError, InternalServerError, NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startBackend } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import { backendHealth, problems } from './ask.ts'

const openai = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
const client = openai(inject('backendURL'))

const model = 'target'
const messages = [{ role: 'user' as const, content: problems[0]!.question }]
const greedy = { model, messages, temperature: 0, max_completion_tokens: 400 }
const chat = () => client.chat.completions.create(greedy)

/** Where OpenAI's types have no room for thoughts. */
const reasoningOf = (from: object): string => (from as { reasoning?: string | null }).reasoning ?? ''

it('lists the models', async () => {
  const ids: string[] = []
  for await (const { id } of client.models.list()) ids.push(id)
  expect(ids).toEqual(['target', 'draft', 'judge'])
})

it('tells about one model, and which there are if not that one', async () => {
  expect(await client.models.retrieve('draft')).toMatchObject({ id: 'draft', object: 'model', owned_by: 'lookahead' })
  const call = client.models.retrieve('gpt-5')
  await expect(call).rejects.toThrow(NotFoundError)
  await expect(call).rejects.toMatchObject({
    code: 'model_not_found',
    message: expect.stringContaining('target, draft'),
  })
})

describe('chat completions', () => {
  it('answers, and tells the reasoning apart', async () => {
    const { choices, usage } = await chat()
    const { message, finish_reason } = choices[0]!
    expect(finish_reason).toBe('stop')
    expect(message.content).toMatch(/^\S/)
    expect(message.content).not.toContain('think>')
    expect(reasoningOf(message).length).toBeGreaterThan(message.content!.length)
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens)
    const thought = usage!.completion_tokens_details!.reasoning_tokens!
    expect(thought).toBeGreaterThan(usage!.completion_tokens / 2)
    expect(thought).toBeLessThan(usage!.completion_tokens)
  })

  it('streams the same', async () => {
    const whole = await chat()
    const stream = await client.chat.completions.create({
      ...greedy,
      stream: true,
      stream_options: { include_usage: true },
    })
    let [reasoning, content] = ['', '']
    const finishes: string[] = []
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      usage = chunk.usage
      for (const { delta, finish_reason } of chunk.choices) {
        reasoning += reasoningOf(delta)
        content += delta.content ?? ''
        if (finish_reason) finishes.push(finish_reason)
      }
    }
    const { message, finish_reason } = whole.choices[0]!
    expect([reasoning, content]).toEqual([reasoningOf(message), message.content])
    expect(finishes).toEqual([finish_reason])
    expect(usage).toMatchObject({ completion_tokens: whole.usage!.completion_tokens })
  })

  it('gives log probabilities, one for each token', async () => {
    const { choices, usage } = await client.chat.completions.create({
      ...greedy,
      max_completion_tokens: 20,
      logprobs: true,
      top_logprobs: 2,
    })
    const tokens = choices[0]!.logprobs!.content!
    expect(tokens.length).toBe(usage!.completion_tokens)
    expect(tokens.map(({ token }) => token).join('')).toBe(reasoningOf(choices[0]!.message))
    for (const { token, logprob, top_logprobs } of tokens) {
      expect(top_logprobs[0]).toMatchObject({ token, logprob })
      expect(top_logprobs.length).toBe(2)
    }
  })

  it('reads messages in parts', async () => {
    const parts = [{ role: 'user' as const, content: [{ type: 'text' as const, text: problems[0]!.question }] }]
    const apart = await client.chat.completions.create({ ...greedy, messages: parts })
    expect(apart.choices[0]!.message).toEqual((await chat()).choices[0]!.message)
  })
})

describe('completions', () => {
  const request = { model: 'draft', prompt: 'Step', max_tokens: 30, temperature: 0 }
  const texts = async (more: Partial<OpenAI.CompletionCreateParamsNonStreaming>) =>
    (await client.completions.create({ ...request, ...more })).choices.map(({ text }) => text)

  it('stops at a string, streaming or not', async () => {
    const [whole] = await texts({})
    const stop = whole!.slice(10, 13)
    const cut = whole!.slice(0, whole!.indexOf(stop))
    expect(await texts({ stop })).toEqual([cut])
    let streamed = ''
    const stream = await client.completions.create({ ...request, stop: [stop], stream: true })
    for await (const { choices } of stream) streamed += choices[0]!.text
    expect(streamed).toBe(cut)
  })

  it('gives the same for the same seed, in a batch too', async () => {
    const sampled = { temperature: 1.2, n: 2, prompt: ['Step', 'First'], seed: 3 }
    const four = await texts(sampled)
    expect(four.length).toBe(4)
    expect(await texts(sampled)).toEqual(four)
    expect(await texts({ ...sampled, prompt: 'First' })).toEqual(four.slice(2))
    expect(await texts({ ...sampled, seed: 9 })).not.toEqual(four)
  })
})

describe('token speculation', () => {
  /** Where OpenAI's types have no room for it: the request's field, and vLLM's statistics in the answer. */
  const guessing = (speculation?: object) => ({ ...greedy, speculation })
  interface Statistics {
    mean_acceptance_length: number
    draft_acceptance_rate: number
    acceptance_histogram: number[]
    accepted_per_position: number[]
    num_spec_steps: number
    num_draft_tokens: number
    num_accepted_draft_tokens: number
  }
  const statisticsOf = (from: object): Statistics | undefined =>
    (from as { metrics?: { speculative_decoding: Statistics } }).metrics?.speculative_decoding

  it('can be set and turned off for a request, which changes nothing in the text', async () => {
    const off = await client.chat.completions.create(guessing({ ngram: 0, draft: 0 }))
    expect(off.usage!.completion_tokens_details).toEqual({
      reasoning_tokens: expect.any(Number),
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    })
    expect(statisticsOf(off)).toBeUndefined()
    for (const speculation of [undefined, { draft: 0 }, { ngram: 0, draft: 3 }]) {
      const { choices, ...answer } = await client.chat.completions.create(guessing(speculation))
      expect(choices[0]!.message).toEqual(off.choices[0]!.message)
      expect(answer.usage!.completion_tokens_details!.accepted_prediction_tokens).toBeGreaterThan(0)
      if (speculation?.draft) expect(statisticsOf(answer)!.acceptance_histogram.length).toBeLessThanOrEqual(4)
    }
  })

  it('is accounted for, in one piece and at the end of a stream', async () => {
    const whole = await client.chat.completions.create(guessing({ ngram: 0 }))
    const stream = await client.chat.completions.create({
      ...guessing({ ngram: 0 }),
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.slice(0, -1).filter((chunk) => statisticsOf(chunk))).toEqual([])
    for (const { usage, ...answer } of [whole, chunks.at(-1)!]) {
      const counts = statisticsOf(answer)!
      const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
      expect(sum(counts.acceptance_histogram)).toBe(counts.num_spec_steps)
      expect(sum(counts.acceptance_histogram.map((count, accepted) => count * accepted))).toBe(
        counts.num_accepted_draft_tokens,
      )
      expect(sum(counts.accepted_per_position)).toBe(counts.num_accepted_draft_tokens)
      expect(counts.mean_acceptance_length).toBeCloseTo(1 + counts.num_accepted_draft_tokens / counts.num_spec_steps)
      expect(counts.draft_acceptance_rate).toBeCloseTo(counts.num_accepted_draft_tokens / counts.num_draft_tokens)
      expect(usage!.completion_tokens_details).toMatchObject({
        accepted_prediction_tokens: counts.num_accepted_draft_tokens,
        rejected_prediction_tokens: counts.num_draft_tokens - counts.num_accepted_draft_tokens,
      })
      expect(usage!.completion_tokens).toBeGreaterThan(counts.num_accepted_draft_tokens)
    }
  })

  it('is added up over all texts of a request', async () => {
    const { usage, ...answer } = await client.completions.create({
      model,
      prompt: ['one two one two one two', 'a b c a b c a b c'],
      n: 2,
      max_tokens: 30,
      temperature: 0,
    })
    const { num_draft_tokens, num_spec_steps } = statisticsOf(answer)!
    const { accepted_prediction_tokens, rejected_prediction_tokens } = usage!.completion_tokens_details!
    expect(accepted_prediction_tokens! + rejected_prediction_tokens!).toBe(num_draft_tokens)
    expect(num_spec_steps).toBeGreaterThanOrEqual(4)
  })
})

it('says what was used so far with every chunk, if asked to', async () => {
  const stream_options = { include_usage: true, continuous_usage_stats: true }
  const written: number[] = []
  for await (const { usage } of await client.chat.completions.create({ ...greedy, stream: true, stream_options }))
    written.push(usage!.completion_tokens)
  expect(written.length).toBeGreaterThan(2)
  expect(written).toEqual(written.toSorted((a, b) => a - b))
  expect(written[0]).toBeGreaterThan(0)
})

describe('errors are its own', () => {
  it.each([
    ['a field out of range', { ...greedy, temperature: -1 }, BadRequestError, 400, 'temperature'],
    ['a field that would be ignored', { ...greedy, tools: [{}] }, BadRequestError, 400, 'tools'],
    ['a prompt too long', { ...greedy, max_completion_tokens: 9999 }, BadRequestError, 400, 'messages'],
    ['too many guesses', { ...greedy, speculation: { draft: 99 } }, BadRequestError, 400, 'speculation.draft'],
    ['an unknown model', { ...greedy, model: 'gpt-5' }, NotFoundError, 404, 'model'],
  ])('%s', async (_, body, kind, status, param) => {
    const call = client.post('/chat/completions', { body })
    await expect(call).rejects.toThrow(kind)
    await expect(call).rejects.toMatchObject({ status, param })
  })

  it('on the calls of the cycle too', async () => {
    const call = client.post('/draft', { body: { context: { id: 'a', prompt: 'x' }, depth: 0 } })
    await expect(call).rejects.toThrow(BadRequestError)
    await expect(call).rejects.toMatchObject({ status: 400, param: 'depth', code: 'invalid_request' })
  })
})

describe('a client that leaves', () => {
  const endless = { model, prompt: 'Step', max_tokens: 2000, n: 4 }
  const settled = () => expect.poll(backendHealth)

  it('in the middle of a stream frees all slots', async () => {
    await settled().toMatchObject({ running: 0, contexts: 0 })
    const { pools } = await backendHealth()
    const stream = await client.completions.create({ ...endless, stream: true })
    for await (const _ of stream) break
    await settled().toMatchObject({ running: 0, contexts: 0, pools })
  })

  it('while it waits for the whole frees them too', async () => {
    await settled().toMatchObject({ running: 0, contexts: 0 })
    const { pools } = await backendHealth()
    const controller = new AbortController()
    const call = client.completions.create(endless, { signal: controller.signal })
    call.catch(() => undefined)
    await settled().toMatchObject({ running: 1 })
    controller.abort()
    await expect(call).rejects.toThrow(APIError)
    await settled().toMatchObject({ running: 0, contexts: 0, pools })
  })
})

describe('a backend with few slots', () => {
  const slots = 256
  let small: OpenAI
  let backend: Server
  beforeAll(async () => {
    backend = await startBackend({ slots })
    small = openai(backend.url)
  })
  afterAll(() => backend.stop())

  it('refuses a text that they will never hold, and names their number', async () => {
    const call = small.completions.create({ model, prompt: 'word '.repeat(400) })
    await expect(call).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' })
    await expect(call).rejects.toThrow(String(slots))
    expect((await small.models.retrieve(model)) as unknown).toMatchObject({ max_model_len: slots })
  })

  it('writes texts that they do not hold at once one after another: each is the one written alone', async () => {
    const request = { model, prompt: 'Step', max_tokens: 200, temperature: 0.6 }
    const alone: string[] = []
    for (const seed of [7, 8, 9, 10])
      alone.push((await small.completions.create({ ...request, seed })).choices[0]!.text)
    const { choices } = await small.completions.create({ ...request, seed: 7, n: 4 })
    expect(choices.map(({ text }) => text)).toEqual(alone)
  })
})

it('says 503 while it shuts down', async () => {
  const backend = await startBackend({})
  const call = await openai(backend.url).completions.create({ model, prompt: 'Step', max_tokens: 1500, stream: true })
  const stopped = backend.stop()
  await expect
    .poll(() =>
      openai(backend.url)
        .models.list()
        .then(
          () => undefined,
          (error: unknown) => error,
        ),
    )
    .toBeInstanceOf(InternalServerError)
  await expect(openai(backend.url).models.list()).rejects.toMatchObject({ status: 503, code: 'draining' })
  call.controller.abort()
  await stopped
})
