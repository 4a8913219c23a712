/** Whether what is said arrives as it is said: something on the way may hold it back until all is said. */
import { readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { failed, ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import type { Ask } from './reach.ts'

/** Plain decoding of a text that takes a while. */
const asked = {
  messages: [{ role: 'user', content: 'Count from 1 to 50, and say of each number whether it is prime.' }],
  max_tokens: 96,
}

/** How to ask for it, and where the last event but for none says how long it took at the server. */
export const probes = {
  worker: { path: '/v1/runs', body: { ...asked, lookahead: { mode: 'ar' } } },
  backend: {
    path: '/v1/verify',
    body: {
      ...asked,
      messages: undefined,
      context: { id: `doctor-${crypto.randomUUID()}`, messages: asked.messages },
      decode: 'end',
    },
  },
} as const

const Told = v.object({
  type: v.string(),
  message: v.optional(v.string()),
  error: v.optional(v.object({ message: v.string() })),
  stats: v.optional(v.object({ elapsed_ms: v.number() })),
  timings: v.optional(v.object({ total_ms: v.number() })),
})

/** A shorter text says nothing of buffering. */
const LEAST_MS = 30
/** A busy machine may look like a buffer, once. */
const TRIES = 3

export async function streaming(ask: Ask, { path, body }: (typeof probes)['worker' | 'backend']): Promise<Finding> {
  let held = ok('streams', '')
  for (let i = 0; i < TRIES; i++) {
    const response = await ask(path, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok || !response.body) {
      const said = await response.text()
      return failed(
        'streams',
        `${path} answers ${response.status}: ${said.slice(0, 300)}`,
        'the message says what; so does the log, by its x-request-id',
      )
    }
    const { spread, elapsed, trouble } = await watch(response.body)
    if (trouble !== undefined) return failed('streams', trouble, 'look at the log, by the x-request-id of the answer')
    if (elapsed < LEAST_MS)
      held = warning('streams', 'the answer was too short to tell', 'ask again, or a model that writes more')
    else if (spread >= elapsed / 4)
      return ok('streams', `an answer of ${elapsed.toFixed()} ms arrived over ${spread.toFixed()} ms`)
    else
      held = failed(
        'streams',
        `an answer of ${elapsed.toFixed()} ms arrived at once: something on the way buffers`,
        'turn off buffering and compression of text/event-stream in the proxies between (nginx: proxy_buffering off; cloudflared: 2025.7 or later)',
      )
  }
  return held
}

/** How long it was from the first to the last event here, and at the server. */
async function watch(body: ReadableStream<Uint8Array>): Promise<{ spread: number; elapsed: number; trouble?: string }> {
  let first: number | undefined
  let elapsed = 0
  for await (const { data } of readEvents(body)) {
    first ??= performance.now()
    const told = v.safeParse(Told, JSON.parse(data))
    if (!told.success) continue
    const { type, stats, timings, message, error } = told.output
    if (type === 'run.failed' || type === 'error')
      return { spread: 0, elapsed, trouble: message ?? error?.message ?? type }
    elapsed = stats?.elapsed_ms ?? timings?.total_ms ?? elapsed
  }
  if (first === undefined || elapsed === 0)
    return { spread: 0, elapsed, trouble: 'the stream ended before its last event' }
  return { spread: performance.now() - first, elapsed }
}
