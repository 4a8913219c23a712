/**
 * Short runs beside a draft that is far too slow, one after the other: worker's cycle and backend in one process, shipped
 * models. Forwards take their times by a clock of the test's own, as they do on two cores.
 */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { createApp, Engine } from '@lookahead/gpu-backend'
import { parseRequest, RunRequest } from '@lookahead/sdk/protocol'
import { Controllers, cycle } from '@lookahead/worker/lookahead'
import { nativeUpstream } from '@lookahead/worker/native'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ForwardClock } from './forward-clock.ts'

const models = path.join(import.meta.dirname, '../../gpu-backend/models')
const question = 'Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?'
const RUNS = 10
/** Milliseconds of a forward: of its own, and of each token. */
const TARGET = { forward: 2, token: 0.25 }
const DRAFT = { forward: 0.2, token: 0.02 }

/** @returns for each run of `auto`, how many steps were drafted; at most 100 tokens are written */
async function draftedBy(slower: number, pipelined: boolean): Promise<number[]> {
  const engine = await Engine.load({ models, threads: 1 })
  onTestFinished(() => engine.close())
  const clock = new ForwardClock()
  const times = [
    [engine.target.model, TARGET, 1],
    [engine.requireDraft().model, DRAFT, slower],
  ] as const
  for (const [model, cost, factor] of times) {
    const forward = model.forward.bind(model)
    vi.spyOn(model, 'forward').mockImplementation((...args) => {
      const tokens = args[0].reduce((sum, row) => sum + row.tokens.length, 0)
      return clock.forward(factor * (cost.forward + cost.token * tokens), () => forward(...args))
    })
  }
  const app = createApp({ engine: () => engine, draining: () => false })
  const fetch: typeof globalThis.fetch = async (input, init) => app.fetch(new Request(input, init))
  const upstream = nativeUpstream({ baseURL: 'http://engine', fetch })
  const controllers = new Controllers()
  const drafted: number[] = []
  for (let i = 0; i < RUNS; i++) {
    const lookahead = { mode: 'auto' as const, pipelined }
    const messages = [{ role: 'user' as const, content: question }]
    const request = parseRequest(RunRequest, { messages, lookahead, max_tokens: 100, sampling: { temperature: 0 } })
    const options = { runId: randomUUID(), signal: new AbortController().signal, controller: controllers.for(request) }
    const run = async () => {
      for await (const event of cycle(upstream, request, options))
        if (event.type === 'run.completed') drafted.push(event.stats.drafted_steps)
    }
    await clock.during(run())
  }
  return drafted
}

/** Of the runs after the first three, in how many steps were drafted. */
const later = (drafted: readonly number[]): number => drafted.slice(3).filter((steps) => steps > 0).length

test.each([
  ['cycle upon cycle', true],
  ['one after the other', false],
])('%s: soon hardly anything is drafted any more', async (_, pipelined) => {
  const drafted = await draftedBy(10, pipelined)
  expect(drafted).toHaveLength(RUNS)
  expect(drafted[0]).toBeGreaterThan(0)
  expect(later(drafted)).toBeLessThanOrEqual(2)
})

test('beside one that is as fast as it should be they go on with it', async () => {
  expect(later(await draftedBy(1, true))).toBeGreaterThanOrEqual(4)
})
