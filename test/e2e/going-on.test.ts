/** Stored runs whose worker is lost, again and again, go on at the real backend: the text is that of a run that was never lost. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { isTerminal } from '@lookahead/sdk/protocol'
import { expect, inject, it, onTestFinished } from 'vitest'
import { startWorkerd } from '../../worker/test/start-workerd.ts'
import { backendHealth, problems } from './ask.ts'

const messages = [{ role: 'user' as const, content: problems[0]!.question }]
const exact = { verifier: 'exact' as const }
const requests: RunRequestInput[] = [
  { messages, sampling: { temperature: 0 }, lookahead: { mode: 'ar' } },
  { messages, sampling: { temperature: 0 }, lookahead: { mode: 'auto', ...exact } },
  { messages, sampling: { temperature: 0 }, lookahead: { mode: 'lr+sd', pipelined: false, ...exact } },
  { messages, sampling: { temperature: 1, seed: 5 }, lookahead: { mode: 'lr+sd', ...exact } },
]

const textOf = (events: RunEvent[]): string[] =>
  ['reasoning', 'answer'].map((channel) =>
    events.map((event) => (event.type === 'text.delta' && event.channel === channel ? event.text : '')).join(''),
  )
const endOf = (events: RunEvent[]) => {
  const end = events.at(-1)
  return end?.type === 'run.completed' && [end.finish_reason, end.usage.prompt_tokens, end.usage.completion_tokens]
}

it('a run goes on wherever its worker was lost, and no token is lost or comes twice', async () => {
  const persist = await mkdtemp(path.join(tmpdir(), 'lookahead-going-on-'))
  onTestFinished(() => rm(persist, { recursive: true, force: true }))
  const never = new Lookahead({ baseURL: inject('workerURL') })
  const seen: RunEvent[][] = requests.map(() => [])

  /** Reads all runs on, each until it has so many events more, and loses the worker then. */
  const live = async (most: number) => {
    const worker = await startWorkerd({ BACKEND_URL: inject('backendURL') }, { persist })
    const client = new Lookahead({ baseURL: (await worker.url).href })
    const readOn = async (request: RunRequestInput, events: RunEvent[]) => {
      const [first] = events
      if (events.length > 0 && isTerminal(events.at(-1)!)) return
      const run =
        first?.type === 'run.started'
          ? client.runs.resume(first.run_id, { startingAfter: events.length - 1 })
          : client.runs.stream({ ...request, store: true })
      let more = 0
      for await (const event of run) {
        events.push(event)
        if (++more >= most) break
      }
    }
    await Promise.all(requests.map((request, i) => readOn(request, seen[i]!)))
    const whole = await Promise.all(
      seen.map(async ([first]) => {
        const events: RunEvent[] = []
        if (most === Infinity && first?.type === 'run.started')
          for await (const event of client.runs.resume(first.run_id)) events.push(event)
        return events
      }),
    )
    await worker.dispose()
    return whole
  }

  let taken = 0
  await live(4)
  await live(6)
  const whole = await live(Infinity)
  expect(seen).toEqual(whole)
  for (const [i, request] of requests.entries()) {
    const solo: RunEvent[] = []
    for await (const event of never.runs.stream(request)) solo.push(event)
    const events = seen[i]!
    expect(textOf(events)).toEqual(textOf(solo))
    expect(endOf(events)).toEqual(endOf(solo))
    expect(events.filter(isTerminal)).toHaveLength(1)
    const waits = events.filter((event) => event.type === 'run.waiting')
    expect(waits.filter(({ code }) => code !== 'interrupted')).toEqual([])
    taken += waits.length
  }
  expect(taken).toBeGreaterThan(0)
  await expect.poll(async () => (await backendHealth()).running).toBe(0)
})
