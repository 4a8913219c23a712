import { afterAll, describe, expect, it } from 'vitest'
import { baseURL, completed, events, script, staged, stats, stopServer, wire } from '../test/server.ts'
import { encodeEvent } from './protocol/index.ts'
import { Lookahead, LookaheadError } from './index.ts'
import type { LookaheadFailure, RunEvent, RunStream, TextDelta } from './index.ts'

afterAll(stopServer)

const client = new Lookahead({ baseURL, maxRetries: 0 })
const question = { messages: [{ role: 'user' as const, content: 'What is 6 times 7?' }] }
const ask = (signal?: AbortSignal) => client.runs.stream(question, { signal })

/** @param onEvent told how many have come */
async function read(run: RunStream, onEvent: (count: number) => void = () => undefined) {
  const seen: RunEvent[] = []
  try {
    for await (const event of run) onEvent(seen.push(event))
    return { seen, error: undefined }
  } catch (error) {
    if (!LookaheadError.isInstance(error)) throw error
    return { seen, error: error as LookaheadFailure }
  }
}

describe('reading a run', () => {
  it('yields every event and gathers the result', async () => {
    script(staged([wire(events)]).response)
    const run = ask()
    const { seen } = await read(run)
    expect(seen).toEqual(events)
    expect(await run.final()).toEqual({
      text: 'Grüße ✓.\n\nRight.\n\nThe answer is 42.',
      reasoning: 'Grüße ✓.\n\nRight.\n\n',
      answer: 'The answer is 42.',
      finish_reason: 'stop',
      usage: { prompt_tokens: 4, completion_tokens: 9 },
      stats,
      steps: [
        { step: 0, text: 'Grüße ✓.\n\n', fate: 'accepted', reason: 'judge' },
        { step: 1, text: 'Right.\n\n', fate: 'corrected', reason: 'judge', rejected: 'Wrong.\n\n' },
      ],
    })
  })

  it('a step that another of its alternatives was kept for is not what a later correction replaced', async () => {
    const [started, ...rest] = events
    const found = { probability: 0.9, target: 'Zwei.' }
    const alternatives: RunEvent[] = [
      { type: 'step.rejected', step: 0, text: 'One.', reason: 'judge' },
      { type: 'step.accepted', step: 0, alternative: 1, text: 'Two.', reason: 'judge', ...found },
      { type: 'step.corrected', step: 1, text: 'Three.' },
    ]
    script(staged([wire([started!, ...alternatives, ...rest])]).response)
    const { steps } = await ask().final()
    expect(steps.slice(0, 2)).toEqual([
      { step: 0, alternative: 1, text: 'Two.', fate: 'accepted', reason: 'judge', ...found },
      { step: 1, text: 'Three.', fate: 'corrected' },
    ])
  })

  it('a rejected step is what the next correction replaced, and none after it', async () => {
    const [started, ...rest] = events
    const corrections: RunEvent[] = [
      { type: 'step.rejected', step: 0, text: 'One.', reason: 'judge' },
      { type: 'step.corrected', step: 0, text: 'Two.' },
      { type: 'step.corrected', step: 1, text: 'Three.' },
    ]
    script(staged([wire([started!, ...corrections, ...rest])]).response)
    const { steps } = await ask().final()
    expect(steps.slice(0, 2)).toEqual([
      { step: 0, text: 'Two.', fate: 'corrected', reason: 'judge', rejected: 'One.' },
      { step: 1, text: 'Three.', fate: 'corrected' },
    ])
  })

  it('sends the request as it was given, only once read', async () => {
    const { requests } = script(staged([wire(events)]).response)
    const run = new Lookahead({ baseURL: `${baseURL}//`, apiKey: 'key' }).runs.stream(question)
    expect(requests).toHaveLength(0)
    await run.final()
    expect(requests).toHaveLength(1)
    expect(requests[0]?.headers.authorization).toBe('Bearer key')
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(question)
  })

  it('streams text alone', async () => {
    script(staged([wire(events)]).response)
    const text: TextDelta[] = []
    for await (const delta of ask().textStream) text.push(delta)
    expect(text.at(-1)).toEqual({ channel: 'answer', text: 'The answer is 42.' })
    expect(text).toHaveLength(3)
  })

  it('reads the same events wherever the chunks are cut', async () => {
    const bytes = new TextEncoder().encode(wire(events))
    // Without a network between, which would join chunks again.
    const readChunks = async (chunks: Uint8Array[]) => {
      const fetch = () => Promise.resolve(staged(chunks).response)
      return (await read(new Lookahead({ baseURL, fetch }).runs.stream(question))).seen
    }
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await readChunks([bytes.slice(0, cut), bytes.slice(cut)]), `cut at byte ${cut}`).toEqual(events)
    }
    expect(await readChunks(Array.from(bytes, (_, at) => bytes.slice(at, at + 1)))).toEqual(events)
  })

  it('passes on what it does not know as it came, and counts it in the result as far as it can', async () => {
    const newer = [
      { type: 'run.started_v2', of: 'another time' },
      { ...events[0]!, mode: 'dream' },
      { type: 'step.accepted', step: 0, text: 'a', reason: 'sounded right' },
      { type: 'text.delta', channel: 'answer', text: 'b' },
      { type: 'text.delta', channel: 'aside', text: 'c' },
      { type: 'text.delta', channel: 'constructor', text: 'd' },
      { ...completed, finish_reason: 'out of patience' },
    ]
    script(staged([wire(newer)]).response)
    const run = ask()
    expect((await read(run)).seen).toEqual(newer)
    const result = await run.final()
    expect(result).toMatchObject({ text: 'bcd', answer: 'b', finish_reason: 'out of patience' })
    expect(Object.keys(result)).not.toContain('constructor')
  })

  it.each([
    ['is missing', [0, 2]],
    ['comes twice', [0, 1, 1, 2]],
    ['comes too soon', [0, 2, 1]],
  ])('ends where an event %s, and says after which', async (_, order) => {
    const text = order.map((id) => encodeEvent(events[id]!, id)).join('')
    script(staged([text]).response)
    const error = await ask()
      .final()
      .catch((thrown: unknown) => thrown)
    const last = order[1] === 1 ? '1' : '0'
    expect(error).toMatchObject({ kind: 'stream_interrupted', code: 'out_of_order', lastEventId: last })
  })
})

describe('a run that goes wrong', () => {
  it('is never taken for complete without its terminal event', async () => {
    script(staged([wire(events.slice(0, 5))]).response)
    const run = ask()
    const { seen, error } = await read(run)
    expect(seen).toHaveLength(5)
    expect(error).toMatchObject({
      kind: 'stream_interrupted',
      code: 'ended_early',
      lastEventId: '4',
      requestId: 'req_1',
      retryable: true,
    })
    await expect(run.final()).rejects.toBe(error)
  })

  it('does not count a terminal event that was cut', async () => {
    script(staged([wire(events).slice(0, -1)]).response)
    expect((await read(ask())).error).toMatchObject({ code: 'ended_early', lastEventId: '9' })
  })

  it('reports a lost connection with its cause', async () => {
    const stream = staged([wire(events.slice(0, 2))], 'break')
    script(stream.response)
    const { error } = await read(ask(), (count) => count === 2 && stream.snap())
    expect(error).toMatchObject({ code: 'connection_lost', lastEventId: '1' })
  })

  it('times out when no bytes come', async () => {
    const stream = staged([wire(events.slice(0, 2))], 'stall')
    script(stream.response)
    const impatient = new Lookahead({ baseURL, idleTimeoutMs: 60, maxRetries: 0 })
    const { error } = await read(impatient.runs.stream(question))
    expect(error).toMatchObject({ kind: 'timeout', code: 'idle', requestId: 'req_1' })
    await expect.poll(() => stream.closed).toBe(true)
  })

  it.each([
    ['no JSON', 'data: {"type":\n\n'],
    ['no type', 'data: 7\n\n'],
    ['a known type with wrong fields', 'data: {"type":"step.drafted","step":-1}\n\n'],
  ])('refuses an event with %s', async (_, malformed) => {
    script(staged([wire(events.slice(0, 1)) + malformed]).response)
    expect((await read(ask())).error).toMatchObject({ code: 'malformed_event', retryable: false, lastEventId: '0' })
  })

  it('fails with the code of run.failed, after yielding it', async () => {
    const failed: RunEvent = { type: 'run.failed', code: 'backend_unavailable', message: 'The backend left.' }
    script(staged([wire([...events.slice(0, 3), failed])]).response)
    const run = ask()
    const { seen, error } = await read(run)
    expect(seen.at(-1)).toEqual(failed)
    expect(error).toMatchObject({
      kind: 'run_failed',
      code: 'backend_unavailable',
      message: 'The backend left.',
      requestId: 'req_1',
      retryable: true,
    })
    await expect(run.final()).rejects.toBe(error)
  })

  it.each(['invalid_request', 'context_length_exceeded', 'backend_unauthorized'])(
    'is not worth another try after %s',
    async (code) => {
      const failed: RunEvent = { type: 'run.failed', code, message: 'No.' }
      script(staged([wire([...events.slice(0, 1), failed])]).response)
      expect((await read(ask())).error).toMatchObject({ kind: 'run_failed', code, retryable: false })
    },
  )

  it('does not wait for the connection to close after the terminal event', async () => {
    const stream = staged([wire([completed])], 'stall')
    script(stream.response)
    expect((await ask().final()).finish_reason).toBe('stop')
    await expect.poll(() => stream.closed).toBe(true)
  })
})
