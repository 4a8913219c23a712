/** Our backend as any OpenAI-compatible server: the worker runs the cycle itself, on `/v1/completions` alone. */
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import { cycle } from '@lookahead/worker/lookahead'
import { openaiUpstream } from '@lookahead/worker/openai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startWorker } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import { about, backendHealth, client as native, problems } from './ask.ts'

let worker: Server
let client: Lookahead

beforeAll(async () => {
  const TARGET_URL = inject('backendURL')
  const vars = { TARGET_URL, TARGET_MODEL: 'target', DRAFT_URL: `${TARGET_URL}/v1`, DRAFT_MODEL: 'draft' }
  worker = await startWorker({ backendURL: 'none', vars: { ENGINE: 'openai', ...vars } })
  client = new Lookahead({ baseURL: worker.url, maxRetries: 0 })
})
afterAll(() => worker.stop())

interface Ran {
  text: string
  events: RunEvent[]
  completed: Extract<RunEvent, { type: 'run.completed' }>
}

async function run(of: Lookahead, request: RunRequestInput): Promise<Ran> {
  const events: RunEvent[] = []
  for await (const event of of.runs.stream(request)) events.push(event)
  const text = events.flatMap((event) => (event.type === 'text.delta' ? [event.text] : [])).join('')
  const completed = events.at(-1)
  if (completed?.type !== 'run.completed') throw new Error(`ended with ${completed?.type}`)
  return { text, events, completed }
}

/** Of tokens that come several in a piece, those of thinking are told by their characters. */
const isAbout = (expected: number) => (told: unknown) => Math.abs(Number(told) - expected) <= 8

const request = (lookahead: RunRequestInput['lookahead'], rest: Partial<RunRequestInput> = {}) =>
  about(0, { lookahead: { adaptive: false, depth: 4, ...lookahead }, ...rest })

describe('at temperature 0 the text is that of plain decoding of the same target', () => {
  let plain: Ran
  beforeAll(async () => {
    plain = await run(native, request({ mode: 'ar' }))
  })

  it.each([
    ['ar', 'exact'],
    ['lr', 'exact'],
    ['lr', 'likelihood'],
  ] as const)('%s, %s', async (mode, verifier) => {
    const { text, events, completed } = await run(client, request({ mode, verifier }))
    expect(text).toBe(plain.text)
    const { reasoning_tokens, ...usage } = plain.completed.usage
    expect(completed).toMatchObject({ finish_reason: 'stop', usage })
    expect(completed.usage.reasoning_tokens).toSatisfy(isAbout(reasoning_tokens!))
    expect(events.some(({ type }) => type === 'step.drafted')).toBe(mode !== 'ar')
    expect(events.some(({ type }) => type === 'run.degraded')).toBe(false)
  })

  it('with alternatives beside each step', async () => {
    const { text, events } = await run(client, request({ mode: 'lr', verifier: 'exact', width: 3 }))
    expect(text).toBe(plain.text)
    const others = events.filter((event) => 'alternative' in event && event.alternative)
    expect(others.map(({ type }) => type)).toContain('step.drafted')
    expect(events.some(({ type }) => type === 'run.degraded')).toBe(false)
  })

  it('a target that is its own draft is accepted word for word', async () => {
    const self = await startWorker({
      backendURL: 'none',
      vars: {
        ENGINE: 'openai',
        ...Object.fromEntries(
          ['TARGET', 'DRAFT'].flatMap((role) => [
            [`${role}_URL`, inject('backendURL')],
            [`${role}_MODEL`, 'target'],
          ]),
        ),
      },
    })
    try {
      const { text, events, completed } = await run(
        new Lookahead({ baseURL: self.url }),
        request({ mode: 'lr', verifier: 'exact' }),
      )
      expect(text).toBe(plain.text)
      expect(completed.stats.accepted_steps).toBeGreaterThan(3)
      expect(events.filter(({ type }) => type === 'step.rejected')).toEqual([])
    } finally {
      await self.stop()
    }
  })

  it('a text that is cut short is cut at the same token', async () => {
    const short = { max_tokens: 90 }
    const expected = await run(native, request({ mode: 'ar' }, short))
    const { text, completed } = await run(client, request({ mode: 'lr', verifier: 'exact' }, short))
    expect([text, completed.finish_reason, completed.usage.completion_tokens]).toEqual([expected.text, 'length', 90])
  })

  it('a stop string ends it in the same place', async () => {
    const middle = Math.floor(plain.text.length / 2)
    const stopping = { stop: [plain.text.slice(middle, middle + 8)], stop_in_reasoning: true }
    const expected = await run(native, request({ mode: 'ar' }, stopping))
    expect(expected.text.length).toBeLessThan(plain.text.length)
    const { text } = await run(client, request({ mode: 'lr', verifier: 'exact' }, stopping))
    expect(text).toBe(expected.text)
  })
})

describe('OpenAI’s dialects', () => {
  const openai = () => new OpenAI({ baseURL: `${worker.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: problems[0]!.question }]
  const boxed = `\\boxed{${problems[0]!.answer}}`
  const plainly = async () => (await run(native, request({ mode: 'ar' }))).completed.usage

  it.each(['ar', 'sd', 'lr', 'auto'])('chat completions without a limit: mode %s', async (mode) => {
    const asked = { model: `target:${mode}`, messages, temperature: 0 }
    const { choices, usage } = await openai().chat.completions.create(asked)
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringContaining(boxed) } })
    const { completion_tokens, reasoning_tokens } = await plainly()
    expect(usage!.completion_tokens).toBe(completion_tokens)
    expect(usage!.completion_tokens_details!.reasoning_tokens).toSatisfy(isAbout(reasoning_tokens!))
  })

  it('responses without a limit, in one piece and as a stream', async () => {
    const asked = { model: 'target', input: problems[0]!.question, temperature: 0 }
    const whole = await openai().responses.create(asked)
    expect([whole.status, whole.output_text]).toEqual(['completed', expect.stringContaining(boxed)])
    const { completion_tokens, reasoning_tokens } = await plainly()
    expect(whole.usage!.output_tokens).toBe(completion_tokens)
    expect(whole.usage!.output_tokens_details.reasoning_tokens).toSatisfy(isAbout(reasoning_tokens!))
    const streamed = await openai().responses.stream(asked).finalResponse()
    expect(streamed.output_text).toBe(whole.output_text)
  })

  it('a text that fills the context ends there', async () => {
    const body = JSON.stringify({ prompt: 'Step by step: ' })
    const headers = { 'content-type': 'application/json' }
    const told = await fetch(`${inject('backendURL')}/tokenize`, { method: 'POST', headers, body })
    const { count, max_model_len } = (await told.json()) as { count: number; max_model_len: number }
    const prompt = 'Step by step: '.repeat(Math.floor((max_model_len - 40) / count))
    const { choices, usage } = await openai().completions.create({ model: 'target', prompt, max_tokens: 9999 })
    expect([choices[0]!.finish_reason, usage!.total_tokens]).toEqual(['length', max_model_len])
  })
})

it('without a judge only steps equal to the target’s are accepted', async () => {
  const { events } = await run(client, request({ mode: 'lr', verifier: 'judge' }, { max_tokens: 150 }))
  const reasons = events.flatMap((event) =>
    event.type === 'step.accepted' || event.type === 'step.rejected' ? [event.reason] : [],
  )
  expect(reasons).toContain('no_judge')
  expect(reasons.filter((reason) => reason === 'judge')).toEqual([])
})

it('the target rates drafted steps itself, if it is asked to', async () => {
  const { events } = await run(client, request({ mode: 'lr', verifier: 'score', width: 2 }, { max_tokens: 150 }))
  const reasons = events.flatMap((event) =>
    event.type === 'step.accepted' || event.type === 'step.rejected' ? [event.reason] : [],
  )
  expect(reasons).toContain('score')
  expect(events.some(({ type }) => type === 'run.degraded')).toBe(false)
})

it('a verifier that there is not is refused by name', async () => {
  await expect(run(client, request({ mode: 'lr', verifier: 'embedding' }))).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(/lookahead\.verifier.*exact.*judge/),
  })
})

it('health and models are those of the target', async () => {
  const get = async (path: string): Promise<unknown> => (await fetch(worker.url + path)).json()
  expect(await get('/health')).toEqual({ status: 'ok', backend: 'ok' })
  expect(await get('/v1/models')).toMatchObject({ data: [{ id: 'target', max_model_len: 4096 }] })
})

it('a client that leaves frees the engine', async () => {
  const events = client.runs.stream(request({ mode: 'lr', verifier: 'exact' }))
  for await (const { type } of events) if (type === 'step.drafted') break
  await expect.poll(async () => (await backendHealth()).running, { timeout: 20_000 }).toBe(0)
})

/** Any other server, started by hand: `ENGINE_URL=http://127.0.0.1:8000 ENGINE_MODEL=NAME npx vitest run e2e/engines.test.ts -t 'by hand'`. */
it.skipIf(!process.env.ENGINE_URL)(
  'a server that was started by hand writes the same with lookahead as without',
  async () => {
    const { ENGINE_URL: url = '', ENGINE_MODEL: model = 'target', ENGINE_DRAFT: draft = model } = process.env
    const options = { target: { url, model }, draft: { url, model: draft }, timeoutMs: 300_000 }
    const texts: string[] = []
    for (const mode of ['ar', 'lr'] as const) {
      const prompt = `<|im_start|>user\n${problems[0]!.question}<|im_end|>\n<|im_start|>assistant\n<think>\n`
      const lookahead = { mode, depth: 2, verifier: 'exact' } as const
      const asked = parseRequest(RunRequest, { prompt, sampling: { temperature: 0 }, max_tokens: 60, lookahead })
      let text = ''
      const { signal } = new AbortController()
      for await (const event of cycle(openaiUpstream(options), asked, { runId: mode, signal })) {
        if (event.type === 'text.delta') text += event.text
        if (event.type === 'run.failed') throw new Error(event.message)
      }
      texts.push(text)
    }
    expect(texts[0]).toBe(texts[1])
  },
)
