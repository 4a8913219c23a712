/** A backend that speaks the protocol from a script, over real sockets: for faults that the real one will not show on demand. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeEvent } from '@lookahead/sdk/protocol'

/** What one call is answered with: events in order, or a fault in their place; `silence`: not even headers. */
export type Reply = Stream | Refusal | 'silence'

export interface Stream {
  events: ({ type: string } & Record<string, unknown>)[]
  /** Sends a comment this often, or this event. Milliseconds; default never. */
  keepaliveMs?: number
  keepalive?: { type: string } & Record<string, unknown>
  /** Numbers of the events. Default: none. */
  ids?: number[]
  /** What follows the last event: the end, a broken connection, or silence. Default `end`. */
  finally?: 'end' | 'cut' | 'hang'
}

export interface Refusal {
  status: number
  code: string
  /** Seconds. */
  retryAfter?: number
}

export interface Manner {
  /** What every call but `GET /health` must show. Default: nothing. */
  token?: string
  /** What `GET /health` answers. Default: that it loads. */
  health?: { status: number; body: string }
  /** What `GET /v1/models` answers. Default: an empty list. */
  models?: { status: number; body: string }
}

export interface Call {
  path: string
  requestId: string | undefined
  body: Record<string, unknown> & { context: Record<string, unknown> }
}

export interface FakeBackend extends AsyncDisposable {
  url: string
  calls: Call[]
  /** Connections that the other side closed before the answer was complete. */
  left: number
  /** Contexts that were given up. */
  released: string[]
  /** How often it was asked how it is. */
  checks: number
}

const read = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

const refuse = (response: ServerResponse, { status, code, retryAfter }: Refusal): void => {
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { message: `${code}, in its own words`, type: 'staged', param: null, code } }))
}

/** @param script the reply to each call in turn; a call beyond its end is answered with 500 */
export async function fakeBackend(
  script: Reply[],
  {
    token,
    health = { status: 503, body: '{"status":"loading"}' },
    models = { status: 200, body: '{"object":"list","data":[]}' },
  }: Manner = {},
): Promise<FakeBackend> {
  const replies = [...script]
  const calls: Call[] = []
  const fake = { url: '', calls, left: 0, checks: 0, released: [] as string[] }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/health') {
      fake.checks++
      return void response.writeHead(health.status).end(health.body)
    }
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return refuse(response, { status: 401, code: 'invalid_api_key' })
    if (request.method === 'GET') return void response.writeHead(models.status, { 'retry-after': '1' }).end(models.body)
    if (request.method === 'DELETE') {
      fake.released.push(request.url ?? '')
      return void response.writeHead(204).end()
    }
    const requestId = request.headers['x-request-id']?.toString()
    calls.push({ path: request.url ?? '', requestId, body: JSON.parse(await read(request)) as Call['body'] })
    response.on('close', () => {
      if (!response.writableFinished) fake.left++
    })
    const reply = replies.shift() ?? { status: 500, code: 'script_ended' }
    if (reply === 'silence') return
    if ('status' in reply) return refuse(response, reply)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const comment = reply.keepalive ? encodeEvent(reply.keepalive) : ': keepalive\n\n'
    const keepalive = reply.keepaliveMs && setInterval(() => response.write(comment), reply.keepaliveMs)
    response.on('close', () => clearInterval(keepalive || undefined))
    for (const [i, event] of reply.events.entries()) response.write(encodeEvent(event, reply.ids?.[i]))
    if (reply.finally === 'cut') response.write(':\n\n', () => response.destroy())
    else if (reply.finally !== 'hang') response.end()
  }
  // With a limit, a connection that was idle while a busy test ran is closed just as the next one sends its request on it.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(fake, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

const timings = { total_ms: 1, draft_ms: 1, target_ms: 1, judge_ms: 0, forwards: 3 }

export const context = (output_tokens = 0): { type: string } & Record<string, unknown> => ({
  type: 'context',
  prompt_tokens: 5,
  output_tokens,
  thinking: true,
})

/** A draft call that wrote these steps. */
export function drafts(...texts: string[]): Stream {
  const steps = texts.map((text, index) => ({
    type: 'step' as const,
    id: `s${index}`,
    index,
    text,
    tokens: 3,
    end: 'delimiter' as const,
  }))
  return { events: [context(), ...steps, { type: 'done', usage: { prompt_tokens: 5, completion_tokens: 3 }, timings }] }
}

/** A verify call: rulings on the first steps, then what it adds. */
export function commits(
  rulings: [accepted: boolean, reason: string][],
  {
    text,
    tokens,
    correction = '',
    finish = null,
    steps,
  }: { text: string; tokens: number[]; correction?: string; finish?: 'stop' | 'length' | null; steps?: number },
): Stream {
  const accepted = rulings.filter(([ok]) => ok).length
  const committed = steps ?? accepted + Number(correction !== '')
  return {
    events: [
      context(),
      ...rulings.map(([ok, reason], index) => ({ type: 'verdict', index, accepted: ok, reason })),
      { type: 'delta', text },
      { type: 'commit', accepted, steps: committed, text, tokens, correction, finish_reason: finish },
      {
        type: 'done',
        usage: { prompt_tokens: 5, completion_tokens: tokens.length },
        timings,
        speculation: { proposed: 2, accepted: 1 },
      },
    ],
  }
}
