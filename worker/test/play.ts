import { RunRequest, isTerminal, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { expect } from 'vitest'
import { cycle } from '../src/lookahead/index.ts'
import type { Controller } from '../src/lookahead/index.ts'
import { nativeUpstream } from '../src/upstreams/native.ts'
import { commits, fakeBackend } from './fake-backend.ts'
import type { Call, Reply } from './fake-backend.ts'

export interface Outcome {
  events: RunEvent[]
  types: string[]
  text: string
  calls: Call[]
}

export interface Circumstances {
  /** Path at which the backend stands. */
  under?: string
  /** Reaches the backend, or answers in its place. */
  fetch?: typeof fetch
  /** What the reader does with each piece of text. */
  onText?: () => Promise<void>
  controller?: Controller
  /** How long the backend may be away or silent, in milliseconds. Default: `IDLE_MS`. */
  timeoutMs?: number
}

/** How long the backend may be silent. Far longer than any machine takes: where it matters, clocks are set by hand. */
export const IDLE_MS = 600_000

/** Runs a request against a scripted backend, and checks that one terminal event comes last. */
export async function play(
  script: Reply[],
  request: Partial<RunRequestInput> = {},
  { under = '', fetch, onText, controller, timeoutMs = IDLE_MS }: Circumstances = {},
): Promise<Outcome> {
  await using fake = await fakeBackend(script)
  const events: RunEvent[] = []
  // What the script says is one cycle after the other.
  const lookahead = { mode: 'lr+sd' as const, pipelined: false, ...request.lookahead }
  const parsed = parseRequest(RunRequest, { prompt: 'How many?', ...request, lookahead })
  const upstream = nativeUpstream({ baseURL: fake.url + under, fetch, timeoutMs })
  const options = { runId: 'r', signal: new AbortController().signal, controller, log: () => undefined }
  for await (const event of cycle(upstream, parsed, options)) {
    events.push(event)
    if (event.type === 'text.delta') await onText?.()
  }
  expect(events.filter(isTerminal)).toEqual([events.at(-1)])
  return {
    events,
    types: events.map((event) => event.type),
    text: events.map((event) => (event.type === 'text.delta' ? event.text : '')).join(''),
    calls: fake.calls,
  }
}

/** A verify call that ends the text. */
export const end = commits([], {
  text: '</think>\n\n\\boxed{3}',
  tokens: [9],
  correction: '</think>\n\n\\boxed{3}',
  finish: 'stop',
})
