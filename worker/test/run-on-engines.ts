/** Runs on engines behind msw. */
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import type { HttpHandler } from 'msw'
import { setupServer } from 'msw/node'
import { cycle } from '../src/lookahead/index.ts'
import { openaiUpstream } from '../src/upstreams/openai/index.ts'
import type { JudgeProtocol } from '../src/upstreams/openai/index.ts'
import { handlersOf } from './fake-engine.ts'
import type { Call, Dialect, FakeEngine } from './fake-engine.ts'

export const network = setupServer()

let servers = 0
/** Each of its own address: what is known of one is kept. */
export const engine = (dialect: Dialect, says: string, rest: Partial<FakeEngine> = {}): FakeEngine => ({
  url: `http://engine-${++servers}.test`,
  dialect,
  says,
  ...rest,
})

export interface Ran {
  text: string
  events: RunEvent[]
  calls: Call[]
  last: RunEvent
}

export async function run(
  {
    target,
    spare,
    draft,
    judge,
    protocol,
    timeoutMs,
  }: {
    target: FakeEngine
    spare?: FakeEngine
    draft?: FakeEngine
    judge?: string
    protocol?: JudgeProtocol
    timeoutMs?: number
  },
  request: RunRequestInput['lookahead'] = {},
  rest: Partial<RunRequestInput> = {},
  faults: HttpHandler[] = [],
): Promise<Ran> {
  const calls: Call[] = []
  const engines = [target, spare, draft].flatMap((one) => (one ? handlersOf(one, calls) : []))
  network.use(...faults, ...engines)
  const upstream = openaiUpstream({
    target: { url: spare ? [target.url, spare.url] : target.url, model: 'big' },
    draft: draft && { url: draft.url, model: 'small' },
    judge: judge === undefined ? undefined : { url: judge, model: 'judge', protocol },
    patienceMs: 200,
    timeoutMs,
  })
  const events: RunEvent[] = []
  const asked = parseRequest(RunRequest, {
    ...(target.dialect === 'bare'
      ? { prompt: '<q>How many?<a>' }
      : { messages: [{ role: 'user', content: 'How many?' }] }),
    sampling: { temperature: 0 },
    lookahead: { mode: 'lr', depth: 3, verifier: 'exact', ...request },
    ...rest,
  })
  const signal = new AbortController().signal
  for await (const event of cycle(upstream, asked, { runId: 'r', signal, log: () => undefined })) events.push(event)
  const text = events.flatMap((event) => (event.type === 'text.delta' ? [event.text] : [])).join('')
  return { text, events, calls, last: events.at(-1)! }
}

export const verdictsIn = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'step.accepted' || event.type === 'step.rejected' ? [`${event.type.slice(5)} ${event.reason}`] : [],
  )
