/** Short runs beside a draft that is far too slow, one after the other: worker's cycle and backend in one process, shipped models. */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, Engine } from '@lookahead/gpu-backend'
import { parseRequest, RunRequest } from '@lookahead/sdk/protocol'
import { Controllers, cycle } from '@lookahead/worker/lookahead'
import { nativeUpstream } from '@lookahead/worker/native'
import { expect, onTestFinished, test, vi } from 'vitest'

const models = path.join(import.meta.dirname, '../../gpu-backend/models')
const question = 'Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?'
const RUNS = 6

/** @returns for each run of `auto`, how many steps were drafted; at most 100 tokens are written */
async function draftedBy(slower: number, pipelined: boolean): Promise<number[]> {
  const engine = await Engine.load({ models, threads: 1 })
  onTestFinished(() => engine.close())
  const { model } = engine.requireDraft()
  const forward = model.forward.bind(model)
  vi.spyOn(model, 'forward').mockImplementation(async (...rows) => {
    const started = performance.now()
    const scores = await forward(...rows)
    if (slower > 1) await sleep((slower - 1) * (performance.now() - started))
    return scores
  })
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
    for await (const event of cycle(upstream, request, options))
      if (event.type === 'run.completed') drafted.push(event.stats.drafted_steps)
  }
  return drafted
}

test.each([
  ['cycle upon cycle', true],
  ['one after the other', false],
])('%s: soon nothing is drafted any more', async (_, pipelined) => {
  const drafted = await draftedBy(10, pipelined)
  expect(drafted).toHaveLength(RUNS)
  // What the first one has begun may still be on its way in the second.
  expect(drafted[0]).toBeGreaterThan(0)
  expect(drafted.slice(2).filter((steps) => steps === 0).length).toBeGreaterThanOrEqual(3)
})

test('beside one that is as fast as it should be they go on with it', async () => {
  const drafted = await draftedBy(1, true)
  expect(drafted.slice(1).filter((steps) => steps > 0).length).toBeGreaterThanOrEqual(3)
})
