/** A server of staged faults: every request is answered by the next entry of a script. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import type { RunEvent, RunStats } from '../src/index.ts'
import { encodeEvent } from '../src/protocol/index.ts'

export const stats: RunStats = {
  cycles: 1,
  drafted_steps: 2,
  accepted_steps: 1,
  output_tokens: 9,
  proposed_tokens: 0,
  accepted_tokens: 0,
  target_forwards: 3,
  elapsed_ms: 12,
  draft_ms: 3,
  target_ms: 6,
  judge_ms: 1,
}

export const completed: RunEvent = {
  type: 'run.completed',
  finish_reason: 'stop',
  usage: { prompt_tokens: 4, completion_tokens: 9 },
  stats,
}

/** A whole run: one step accepted, one rejected and corrected, an answer. */
export const events: RunEvent[] = [
  { type: 'run.started', run_id: 'run_1', mode: 'lr+sd', depth: 2, verifier: 'judge' },
  { type: 'step.drafted', step: 0, text: 'Grüße ✓.\n\n' },
  { type: 'step.drafted', step: 1, text: 'Wrong.\n\n' },
  { type: 'step.accepted', step: 0, text: 'Grüße ✓.\n\n', reason: 'judge' },
  { type: 'text.delta', channel: 'reasoning', text: 'Grüße ✓.\n\n' },
  { type: 'step.rejected', step: 1, text: 'Wrong.\n\n', reason: 'judge' },
  { type: 'step.corrected', step: 1, text: 'Right.\n\n' },
  { type: 'text.delta', channel: 'reasoning', text: 'Right.\n\n' },
  { type: 'run.stats', stats },
  { type: 'text.delta', channel: 'answer', text: 'The answer is 42.' },
  completed,
]

export const wire = (list: readonly { type: string }[]): string =>
  `: ok\n\n${list.map((event, id) => encodeEvent(event, id)).join('')}`

const encoder = new TextEncoder()

export interface StagedStream {
  /** Set once all chunks were asked for. */
  begun: boolean
  /** Set once the client has closed the connection. */
  closed: boolean
  /** Breaks the connection, if that is how it ends. */
  snap(): void
  response: Response
}

/**
 * An SSE answer in chunks; then it ends, stays silent, goes on with comments for ever, or breaks when told to: bytes that were
 * not read are lost then.
 */
export function staged(
  chunks: (string | Uint8Array)[],
  then: 'end' | 'break' | 'stall' | 'keepalive' = 'end',
): StagedStream {
  const queue = [...chunks]
  const snapped = Promise.withResolvers<void>()
  const stream: StagedStream = {
    begun: false,
    closed: false,
    snap: snapped.resolve,
    response: new Response(
      new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const chunk = queue.shift()
            stream.begun ||= chunk === undefined
            if (chunk !== undefined) {
              controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
            } else if (then === 'end') {
              controller.close()
            } else if (then === 'break') {
              await snapped.promise
              controller.error(new TypeError('network error'))
            } else if (then === 'keepalive') {
              await setTimeout(10)
              controller.enqueue(encoder.encode(': keepalive\n\n'))
            } else {
              await new Promise(() => undefined)
            }
          },
          cancel() {
            stream.closed = true
          },
        },
        { highWaterMark: 0 },
      ),
      { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' } },
    ),
  }
  return stream
}

/** `Response.error()` breaks the connection before the headers. */
export type Answer = Response | (() => Response | Promise<Response>)

export interface Request {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

let answers: Answer[] = []
let requests: Request[] = []
const others = new Map<string, Answer>()

/** Answers the coming requests in order, and collects them. */
export function script(...next: Answer[]): { requests: Request[] } {
  answers = next
  requests = []
  return { requests }
}

/** Answers every request to another path. */
export const route = (path: string, answer: Answer) => others.set(path, answer)

// With a limit, a connection that was idle while a busy test ran is closed just as the next one sends its request on it.
export const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  void (async () => {
    let answer = others.get(request.url ?? '')
    if (!answer) {
      const { method = '', url = '', headers } = request
      requests.push({ method, url, headers, body: await text(request) })
      answer = answers[requests.length - 1] ?? new Response('more requests than answers', { status: 418 })
    }
    await send(await (typeof answer === 'function' ? answer() : answer), response)
  })()
})

async function send(answer: Response, response: ServerResponse): Promise<void> {
  if (answer.type === 'error') return void response.destroy()
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.flushHeaders()
  const reader = answer.body?.getReader()
  response.on('close', () => void reader?.cancel().catch(() => undefined))
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) return void response.end()
      response.write(value)
    }
  } catch {
    response.destroy()
  }
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
export const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

export function stopServer(): void {
  server.close()
  server.closeAllConnections()
}
