import { ReadableStream } from 'node:stream/web'
import { isTerminal, modes } from '@lookahead/sdk/protocol'
import { Lookahead } from '@lookahead/sdk'
import type { RunFailedError } from '@lookahead/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { delayedLink } from '../bench/delayed-link.ts'
import { startBackend, startStack } from '../launcher/index.ts'
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
  beforeAll(async () => void (stack = await startStack({ timeoutSeconds: 3 })))
  afterAll(() => stack.stop())

  it('and stays away ends a running run with one run.failed, and new runs with an error that can be retried', async () => {
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
      backend_code: 'unreachable',
    })
    const refused = { kind: 'api', status: 503, code: 'target_unavailable', retryable: true }
    await expect(own.runs.stream(long()).final()).rejects.toMatchObject(refused)
    expect(await own.health()).toEqual({ status: 'degraded', backend: 'unreachable' })
  })
})

describe.each([0, 60])('with %i ms between worker and backend', (rtt) => {
  const link = rtt === 0 ? undefined : (url: string) => delayedLink(url, rtt)
  let stack: Stack
  beforeAll(
    async () => void (stack = await startStack({ link, flags: ['--drain', '600', '--max-queued-requests', '8'] })),
  )
  afterAll(() => stack.stop())

  const all = modes.flatMap((mode) =>
    [true, false].map((pipelined) => ({ mode, pipelined, verifier: 'exact' as const })),
  )
  const ask = (lookahead: (typeof all)[number], onText: () => void = () => undefined) => {
    const run = new Lookahead({ baseURL: stack.workerURL }).runs.stream(about(1, { lookahead, max_tokens: 200 }))
    return (async () => {
      let waited = 0
      for await (const event of run) {
        if (event.type === 'run.waiting') waited++
        if (event.type === 'text.delta') onText()
      }
      const { text, steps } = await run.final()
      return { text, places: steps.map(({ step }) => step), waited }
    })()
  }
  const restart = async () => {
    const { port } = new URL(stack.backendURL)
    stack.backend = await startBackend({ port: Number(port), flags: ['--drain', '600', '--max-queued-requests', '8'] })
  }
  /** Runs in all modes at the same time; `act` comes once each has said something. */
  async function together(act: () => Promise<void>) {
    const begun = Promise.withResolvers<void>()
    const talking = new Set<number>()
    const running = all.map((lookahead, i) =>
      ask(lookahead, () => talking.add(i).size === all.length && begun.resolve()),
    )
    const done = Promise.all(running)
    await Promise.race([begun.promise, done])
    await act()
    return done
  }

  it('a backend that is killed and comes back loses no run, and no word of it', async () => {
    const alone = await ask(all[0]!)
    const runs = await together(async () => {
      await stack.backend.kill()
      await restart()
    })
    for (const [i, { text, places }] of runs.entries()) {
      expect(text, JSON.stringify(all[i])).toBe(alone.text)
      // No step is told twice.
      expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b))
    }
    expect(runs.some(({ waited }) => waited > 0)).toBe(true)
  })

  it('one that is told to stop lets all runs that have begun come to their end', async () => {
    const alone = await ask(all[0]!)
    const runs = await together(async () => void process.kill(stack.backend.pid, 'SIGTERM'))
    for (const { text, waited } of runs) expect([text, waited]).toEqual([alone.text, 0])
    await stack.backend.gone
    await restart()
  })

  it('64 runs complete though 8 may be queued', async () => {
    const request = about(2, { lookahead: { mode: 'lr+sd', verifier: 'exact' }, max_tokens: 40 })
    const own = new Lookahead({ baseURL: stack.workerURL })
    const runs = await Promise.all(Array.from({ length: 64 }, () => own.runs.stream(request).final()))
    expect(new Set(runs.map(({ text }) => text)).size).toBe(1)
  })
})
