/** The worker in real workerd, as clients of stored runs ask it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { RunEvent, StoredRun, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { expect, onTestFinished } from 'vitest'
import { fakeBackend } from './fake-backend.ts'
import type { FakeBackend, Reply } from './fake-backend.ts'
import { startWorkerd } from './start-workerd.ts'
import type { Config } from './start-workerd.ts'

export type Numbered = [id: number, event: RunEvent]

export interface Asking {
  method?: string
  body?: object
  headers?: Record<string, string>
  signal?: AbortSignal
}

export class Worker {
  readonly fake: FakeBackend
  readonly #url: URL
  readonly stop: () => Promise<void>

  constructor(fake: FakeBackend, url: URL, stop: () => Promise<void>) {
    this.fake = fake
    this.#url = url
    this.stop = stop
  }

  ask(where: string, { body, ...init }: Asking = {}): Promise<Response> {
    const posted = body && { method: 'POST', body: JSON.stringify(body) }
    return fetch(new URL(where, this.#url), { ...posted, ...init })
  }

  start(init: Asking = {}): Promise<Response> {
    const body = { prompt: 'x', store: true, lookahead: { mode: 'ar' }, ...init.body }
    return this.ask('/v1/runs', { ...init, body })
  }

  /** Starts a run, and leaves it after its first event. */
  async leave(init?: Asking): Promise<string> {
    for await (const [, event] of numbered(await this.start(init)))
      if (event.type === 'run.started') return event.run_id
    throw new Error('the run has no first event')
  }

  async state(id: string, init?: Asking): Promise<StoredRun> {
    return v.parse(StoredRun, await (await this.ask(`/v1/runs/${id}`, init)).json())
  }

  async events(id: string, query = '', headers = {}): Promise<Numbered[]> {
    return eventsOf(await this.ask(`/v1/runs/${id}/events${query}`, { headers }))
  }
}

export async function start(script: Reply[], vars: Record<string, string> = {}, config: Config = {}): Promise<Worker> {
  const fake = await fakeBackend(script)
  onTestFinished(() => fake[Symbol.asyncDispose]())
  const worker = await startWorkerd({ BACKEND_URL: fake.url, ...vars }, config)
  onTestFinished(() => worker.dispose())
  return new Worker(fake, await worker.url, () => worker.dispose())
}

export async function* numbered(response: Response): AsyncGenerator<Numbered, void, undefined> {
  expect(response.status, response.ok ? '' : await response.text()).toBe(200)
  for await (const { id, data } of readEvents(response.body!)) yield [Number(id), v.parse(RunEvent, JSON.parse(data))]
}

export async function eventsOf(response: Response): Promise<Numbered[]> {
  const events: Numbered[] = []
  for await (const event of numbered(response)) events.push(event)
  return events
}

export async function refusal(asked: Promise<Response>): Promise<[status: number, code: string]> {
  const response = await asked
  const { error } = (await response.json()) as { error: { code: string } }
  return [response.status, error.code]
}

export const said = (events: Numbered[]): string =>
  events.map(([, event]) => (event.type === 'text.delta' ? event.text : '')).join('')

/** @param over is told how to remove it. Default: it goes with the test */
export async function folder(over: (remove: () => Promise<void>) => void = onTestFinished): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'lookahead-stored-'))
  over(() => rm(made, { recursive: true, force: true }))
  return made
}
