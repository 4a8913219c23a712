/** However a run is left, its connection closes at once: also while a read waits and the server keeps the line busy. */
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { afterAll, describe, expect, it } from 'vitest'
import { baseURL, events, script, staged, stopServer, wire } from '../test/server.ts'
import { Lookahead, LookaheadError } from './index.ts'
import type { RunEvent, RunStream } from './index.ts'
import { readEvents } from './protocol/index.ts'

afterAll(stopServer)

const client = new Lookahead({ baseURL, maxRetries: 0 })
const question = { messages: [{ role: 'user' as const, content: 'What is 6 times 7?' }] }
const ask = (signal?: AbortSignal) => client.runs.stream(question, { signal })

async function read(run: RunStream) {
  const seen: RunEvent[] = []
  try {
    for await (const event of run) seen.push(event)
    return { seen, error: undefined }
  } catch (error) {
    if (!LookaheadError.isInstance(error)) throw error
    return { seen, error }
  }
}

/** A run that has begun, of a server that sends only comments from now on. */
const busy = () => {
  const stream = staged([wire(events.slice(0, 1))], 'keepalive')
  script(stream.response)
  return stream
}

describe('leaving while a read waits', () => {
  const views = [
    ['events', (run: RunStream) => run],
    ['text', (run: RunStream) => run.textStream],
  ] as const

  it.each(views)('by cancelling a web stream of the %s', async (_, view) => {
    const stream = busy()
    const run = ask()
    const reader = ReadableStream.from<unknown>(view(run)).getReader()
    if (view(run) === run) await reader.read()
    const pending = reader.read()
    await expect.poll(() => stream.begun).toBe(true)
    await reader.cancel()
    expect(await pending).toEqual({ done: true, value: undefined })
    await expect.poll(() => stream.closed).toBe(true)
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
  })

  it.each(views)('by destroying a Node stream of the %s', async (_, view) => {
    const stream = busy()
    const run = ask()
    const readable = Readable.from(view(run)).resume()
    await expect.poll(() => stream.begun).toBe(true)
    readable.destroy()
    await expect.poll(() => stream.closed).toBe(true)
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
  })

  it.each(views)('by return() of the iterator of the %s', async (_, view) => {
    const stream = busy()
    const run = ask()
    const iterator = view(run)[Symbol.asyncIterator]()
    const pending = [iterator.next(), iterator.next()]
    await expect.poll(() => stream.begun).toBe(true)
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect((await Promise.all(pending)).at(-1)).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await expect.poll(() => stream.closed).toBe(true)
  })

  it('for the headers', async () => {
    const { requests } = script(() => new Promise<Response>(() => undefined))
    const iterator = ask()[Symbol.asyncIterator]()
    const pending = iterator.next()
    await expect.poll(() => requests.length).toBe(1)
    await iterator.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
  })

  it('for the headers of a fetch that knows no signals, whose answer comes later', async () => {
    const stream = staged([], 'keepalive')
    const answer = Promise.withResolvers<Response>()
    const deaf = new Lookahead({ baseURL, fetch: () => answer.promise }).runs.stream(question)
    const iterator = deaf[Symbol.asyncIterator]()
    const pending = iterator.next()
    await iterator.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
    answer.resolve(stream.response)
    await expect.poll(() => stream.closed).toBe(true)
  })

  it('for the events of a body', async () => {
    const stream = staged([], 'keepalive')
    const iterator = readEvents(stream.response.body!)
    const pending = iterator.next()
    await iterator.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
    expect(stream.closed).toBe(true)
  })
})

describe('leaving before the first read', () => {
  it('sends nothing, and leaves no result to wait for', async () => {
    const { requests } = script()
    const run = ask()
    await run.textStream.return?.()
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
    expect(requests).toHaveLength(0)
  })

  it('closes a body whose events nobody read', async () => {
    const stream = staged([], 'keepalive')
    await readEvents(stream.response.body!).return?.()
    expect(stream.closed).toBe(true)
  })
})

describe('leaving a run', () => {
  it('sends nothing when the signal is already aborted', async () => {
    const { requests } = script()
    const { error } = await read(ask(AbortSignal.abort('enough')))
    expect(error).toMatchObject({ kind: 'aborted', cause: 'enough', retryable: false })
    expect(requests).toHaveLength(0)
  })

  it('stops waiting for headers when the signal aborts', async () => {
    script(() => new Promise<Response>(() => undefined))
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    expect((await read(ask(controller.signal))).error).toMatchObject({ kind: 'aborted' })
  })

  it('stops while waiting for bytes, and closes the connection', async () => {
    const stream = staged([wire(events.slice(0, 2))], 'stall')
    script(stream.response)
    const controller = new AbortController()
    const run = ask(controller.signal)
    const seen: RunEvent[] = []
    const reading = (async () => {
      for await (const event of run) {
        seen.push(event)
        if (seen.length === 2) setTimeout(() => controller.abort(), 5)
      }
    })()
    await expect(reading).rejects.toMatchObject({ kind: 'aborted' })
    expect(seen).toHaveLength(2)
    await expect.poll(() => stream.closed).toBe(true)
  })

  it('yields nothing after an abort, even what has already arrived', async () => {
    script(staged([wire(events)]).response)
    const controller = new AbortController()
    const run = ask(controller.signal)
    const seen: RunEvent[] = []
    const reading = (async () => {
      for await (const event of run) {
        seen.push(event)
        controller.abort()
      }
    })()
    await expect(reading).rejects.toMatchObject({ kind: 'aborted' })
    expect(seen).toHaveLength(1)
  })

  it('is not harmed by an abort after the end', async () => {
    script(staged([wire(events)]).response)
    const controller = new AbortController()
    const run = ask(controller.signal)
    await run.final()
    controller.abort()
    run.cancel()
    expect((await run.final()).finish_reason).toBe('stop')
  })

  it('closes the connection on break', async () => {
    const stream = staged([wire(events.slice(0, 2))], 'stall')
    script(stream.response)
    const run = ask()
    for await (const _ of run) break
    await expect.poll(() => stream.closed).toBe(true)
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
  })

  it('ends the loop quietly on cancel()', async () => {
    const stream = staged([wire(events.slice(0, 2))], 'stall')
    script(stream.response)
    const run = ask()
    setTimeout(() => run.cancel(), 20)
    const { seen, error } = await read(run)
    expect(error).toBeUndefined()
    expect(seen).toHaveLength(2)
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
    await expect.poll(() => stream.closed).toBe(true)
  })

  it('can be cancelled before it is read', async () => {
    const { requests } = script()
    const run = ask()
    run.cancel()
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
    expect(requests).toHaveLength(0)
  })
})
