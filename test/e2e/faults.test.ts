import { ReadableStream } from 'node:stream/web'
import { isTerminal } from '@lookahead/sdk/protocol'
import { Lookahead } from '@lookahead/sdk'
import type { RunFailedError } from '@lookahead/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack } from '../launcher/index.ts'
import type { Stack } from '../launcher/index.ts'
import { about, backendHealth, client, post } from './ask.ts'

/** Never ends by itself within a test. */
const long = () => about(0, { sampling: { temperature: 1, seed: 7 }, max_tokens: 1024 })

const settled = () => expect.poll(backendHealth)

describe('a client that leaves', () => {
  it.each([
    ['before the first event', 0],
    ['after the start', 1],
    ['in the middle of drafting', 3],
    ['in the middle of the text', 8],
  ])('%s frees everything the backend held for it', async (_, count) => {
    await settled().toMatchObject({ running: 0, contexts: 0 })
    const { pools } = await backendHealth()
    const controller = new AbortController()
    const response = await post(long(), controller.signal)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let seen = 0; seen < count;) seen += ((await reader.read()).value ?? '').split('\nevent:').length - 1
    controller.abort()
    await reader.cancel().catch(() => undefined)
    await settled().toMatchObject({ running: 0, contexts: 0, pools })
  })

  it('frees them too when it leaves the loop of the SDK', async () => {
    await settled().toMatchObject({ running: 0, contexts: 0 })
    const { pools } = await backendHealth()
    for await (const { type } of client.runs.stream(long())) if (type === 'text.delta') break
    await settled().toMatchObject({ running: 0, contexts: 0, pools })
  })

  it('frees them too when it leaves while it waits for text', async () => {
    await settled().toMatchObject({ running: 0, contexts: 0 })
    const { pools } = await backendHealth()
    const reader = ReadableStream.from(client.runs.stream(long()).textStream).getReader()
    await reader.read()
    const pending = reader.read()
    await reader.cancel()
    expect(await pending).toEqual({ done: true, value: undefined })
    await settled().toMatchObject({ running: 0, contexts: 0, pools })
  })

  it('does not disturb the others', async () => {
    const request = about(1, { lookahead: { adaptive: false } })
    const alone = await client.runs.stream(request).final()
    const together = client.runs.stream(request).final()
    for (let round = 0; round < 5; round++) for await (const _ of client.runs.stream(long())) break
    expect((await together).text).toBe(alone.text)
  })
})

it('answers several at once as it answers each alone', async () => {
  const answer = async (at: number) =>
    (await client.runs.stream(about(at, { lookahead: { verifier: 'exact' } })).final()).text
  const alone = [await answer(0), await answer(1), await answer(2)]
  expect(await Promise.all([0, 1, 2].map(answer))).toEqual(alone)
})

describe('a backend that dies', () => {
  let stack: Stack
  beforeAll(async () => void (stack = await startStack()))
  afterAll(() => stack.stop())

  it('ends a running run with one run.failed, and new runs with an error that can be retried', async () => {
    const own = new Lookahead({ baseURL: stack.workerURL, maxRetries: 0 })
    const terminal: string[] = []
    let killed = false
    const reading = (async () => {
      for await (const event of own.runs.stream(long())) {
        if (isTerminal(event)) terminal.push(event.type)
        if (!killed && event.type === 'step.drafted') {
          killed = true
          void stack.backend.kill()
        }
      }
    })()
    const failure: unknown = await reading.catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'run_failed', code: 'target_unavailable', requestId: expect.any(String) })
    expect(terminal).toEqual(['run.failed'])
    const { requestId } = failure as RunFailedError
    // The log comes by another way than the answer, and Wrangler puts its own sign before the line.
    const line = () => /\{"event":"run\.failed".*\}/.exec(stack.worker.log.join('\n'))?.[0]
    await expect.poll(line).toBeDefined()
    expect(JSON.parse(line()!)).toMatchObject({
      run_id: requestId,
      request_id: requestId,
      // Cut off in the middle of a call, or not reached by the next.
      backend_code: expect.stringMatching(/^(stream_cut|unreachable)$/),
    })
    await expect(own.runs.stream(long()).final()).rejects.toMatchObject({ retryable: true })
    expect(await own.health()).toEqual({ status: 'degraded', backend: 'unreachable' })
  })
})
