/** Who may read a run, and that its result always comes. */
import { afterAll, describe, expect, it } from 'vitest'
import { baseURL, events, script, staged, stopServer, wire } from '../test/server.ts'
import { Lookahead } from './index.ts'
import type { RunEvent } from './index.ts'

afterAll(stopServer)

const ask = (signal?: AbortSignal) =>
  new Lookahead({ baseURL, maxRetries: 0 }).runs.stream({ prompt: 'What is 6 times 7?' }, { signal })
const good = () => script(staged([wire(events)]).response)

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = []
  for await (const item of items) seen.push(item)
  return seen
}

const used = { kind: 'usage', code: 'already_read', retryable: false }
const texts = events.flatMap((event) => (event.type === 'text.delta' ? [event.text] : []))

describe('final()', () => {
  it('reads the run itself where nobody else does', async () => {
    good()
    expect((await ask().final()).answer).toBe('The answer is 42.')
  })

  it('does so too where a view was only looked at', async () => {
    const { requests } = good()
    const run = ask()
    const text = run.textStream
    run[Symbol.asyncIterator]()
    expect((await run.final()).answer).toBe('The answer is 42.')
    expect(requests).toHaveLength(1)
    await expect(text.next()).rejects.toMatchObject(used)
  })

  it('may be asked before, during and after a loop, any number of times', async () => {
    good()
    const run = ask()
    const results = []
    for await (const event of run) if (event.type === 'step.drafted') results.push(run.final())
    results.push(run.final())
    const [first, ...others] = await Promise.all(results)
    expect(first!.answer).toBe('The answer is 42.')
    for (const other of others) expect(other).toBe(first)
  })

  it('goes on by itself where a loop waits for it, and takes nothing from the loop', async () => {
    good()
    const run = ask()
    const seen: RunEvent[] = []
    for await (const event of run) {
      seen.push(event)
      expect((await run.final()).finish_reason).toBe('stop')
    }
    expect(seen).toEqual(events)
  })

  it('comes while the text is read', async () => {
    good()
    const run = ask()
    const [text, { answer }] = await Promise.all([all(run.textStream), run.final()])
    expect(text.map((delta) => delta.text)).toEqual(texts)
    expect(answer).toBe('The answer is 42.')
  })

  it('fails as the loop does, which first gets what had come', async () => {
    script(staged([wire(events.slice(0, 3))]).response)
    const run = ask()
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    const failure = { kind: 'stream_interrupted', code: 'ended_early' }
    await expect(run.final()).rejects.toMatchObject(failure)
    expect(await iterator.next()).toEqual({ done: false, value: events[1] })
    expect(await iterator.next()).toEqual({ done: false, value: events[2] })
    await expect(iterator.next()).rejects.toMatchObject(failure)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('fails after a loop was left', async () => {
    good()
    const run = ask()
    for await (const _ of run) break
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
  })

  it('fails when the run is cancelled while it waits, and the loop ends quietly', async () => {
    const stream = staged([wire(events.slice(0, 4))], 'keepalive')
    script(stream.response)
    const run = ask()
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    const result = run.final()
    await expect.poll(() => stream.begun).toBe(true)
    run.cancel()
    await expect(result).rejects.toMatchObject({ kind: 'aborted' })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await expect.poll(() => stream.closed).toBe(true)
  })
})

describe('a second reader', () => {
  it('is refused, whatever the two read, and does not disturb the first', async () => {
    const stream = staged([wire(events)])
    script(stream.response)
    const run = ask()
    const first = run[Symbol.asyncIterator]()
    await first.next()
    await expect(all(run)).rejects.toMatchObject(used)
    await expect(all(run.textStream)).rejects.toMatchObject(used)
    await run.textStream.return?.()
    expect(await all({ [Symbol.asyncIterator]: () => first })).toEqual(events.slice(1))
  })

  it('is refused when final() was first, and when the run is over', async () => {
    good()
    const run = ask()
    const result = run.final()
    await expect(all(run)).rejects.toMatchObject(used)
    await result
    await expect(all(run.textStream)).rejects.toMatchObject(used)
  })

  it('gets nothing of what the first asks for all at once', async () => {
    good()
    const iterator = ask()[Symbol.asyncIterator]()
    const steps = await Promise.all(Array.from({ length: events.length + 1 }, () => iterator.next()))
    expect(steps.map(({ value }) => value as RunEvent | undefined)).toEqual([...events, undefined])
  })
})
