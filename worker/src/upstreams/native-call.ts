/** One call of the GPU backend: a POST, and the events that answer it, checked as they come. */
import { ErrorBody, Watchdog, isNext, parseRetryAfter, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UpstreamError } from '../lookahead/upstream.ts'
import { errorText, parseJson } from './error-text.ts'

/** What the worker's users are told where the backend takes them for strangers: it is not their key that is wrong. */
export const UNAUTHORIZED = "the backend refuses the worker: the worker's operator must set BACKEND_TOKEN"

/** `overloaded` may also come inside a stream, `context_busy` while an abandoned call is still ending. */
const TEMPORARY: ReadonlySet<string> = new Set([
  'overloaded',
  'out_of_memory',
  'draining',
  'context_busy',
  'context_lost',
])

/** Statuses that may pass, of a proxy too that does not reach the backend: Cloudflare's are 520 to 524, and 530 of a tunnel. */
const PASSING = /^(429|5(0[234]|2[0-4]|30))$/

export interface Post {
  url: string
  headers: Record<string, string>
  body: string
  fetch?: typeof fetch | undefined
  /** Milliseconds: until the headers, without a byte, and without an event that brings the text forward. */
  headersMs: number
  idleMs: number
  progressMs: number
}

/**
 * Ends with the event `done`. Types of events that `schema` does not know are left out: a newer backend may send them.
 * @throws {UpstreamError} the backend's own code, or `unreachable`, `unauthorized`, `stream_cut`, `bad_event`, `idle`, `stuck`;
 * the signal's reason, when it aborts
 */
export async function* callForEvents<Event extends { type: string }>(
  post: Post,
  schema: EventSchema<Event>,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  const { headersMs, idleMs, progressMs } = post
  const watchdog = new Watchdog(signal)
  const absent = () => new UpstreamError('unreachable', 'the backend does not answer', { retryable: true })
  const silent = () => new UpstreamError('idle', 'the backend went silent', { retryable: true })
  const stuck = () => new UpstreamError('stuck', 'the backend does not get on')
  try {
    const body = await watchdog.wait(() => answer(post, watchdog.signal), headersMs, absent)
    const events = readEvents(watchdog.watch(body, idleMs, silent))
    try {
      let left = progressMs
      for (let count = 0; ; count++) {
        const asked = Date.now()
        const { done, value } = await watchdog.wait(() => events.next(), left, stuck)
        if (done) break
        if (!isNext(value.id, count))
          throw new UpstreamError('stream_cut', 'events of the backend are lost', { retryable: true })
        const event = parseEvent(schema, value.data)
        left = event && isProgress(event) ? progressMs : Math.max(1, left - (Date.now() - asked))
        if (!event) continue
        yield event
        if (event.type === 'done') return
      }
    } finally {
      // However the loop was left: else the connection would stay open, and the engine at work.
      await events.return()
    }
    throw new UpstreamError('stream_cut', 'the backend closed the stream before it was done', { retryable: true })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof UpstreamError) throw error
    throw new UpstreamError('stream_cut', 'the connection to the backend broke', { retryable: true, cause: error })
  }
}

export type EventSchema<Event> = v.GenericSchema<unknown, Event> & {
  options: readonly { entries: { type: { literal: string } } }[]
}

/** Undefined: of a type that is not known here. @throws {UpstreamError} `bad_event`; what the event says, if it tells of a failure */
function parseEvent<Event>(schema: EventSchema<Event>, data: string): Event | undefined {
  const json = parseJson(data)
  if (json === undefined)
    throw new UpstreamError('stream_cut', 'an event of the backend is garbled', { retryable: true })
  const event = v.safeParse(schema, json)
  if (!event.success) {
    const type = (json as { type?: unknown } | null | undefined)?.type
    if (typeof type === 'string' && !schema.options.some(({ entries }) => entries.type.literal === type))
      return undefined
    throw new UpstreamError('bad_event', 'the backend sent an event of an unknown form')
  }
  const failed = v.safeParse(ErrorBody, event.output)
  if (failed.success) throw failure(failed.output)
  return event.output
}

const isProgress = (event: { type: string; text?: unknown }): boolean => event.type !== 'context' && event.text !== ''

async function answer(
  { url, headers, body, fetch = globalThis.fetch }: Post,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  let response: Response
  try {
    // workerd refuses a `fetch` that is called as a method of something else.
    response = await fetch(url, { method: 'POST', headers, body, signal })
  } catch (cause) {
    throw new UpstreamError('unreachable', 'the backend cannot be reached', { retryable: true, cause })
  }
  if (response.ok && response.body) return response.body
  const { status } = response
  if (status === 401 || status === 403) {
    await response.body?.cancel().catch(() => undefined)
    throw new UpstreamError('unauthorized', UNAUTHORIZED, { status })
  }
  const told = v.safeParse(ErrorBody, parseJson(await errorText(response)))
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'))
  throw failure(told.success ? told.output : undefined, { status, retryAfterMs })
}

/** What the backend says of itself, with a status or inside a stream. Its words are for the log: clients read ours. */
export function failure(
  told: ErrorBody | undefined,
  options: { status?: number; retryAfterMs?: number | undefined } = {},
): UpstreamError {
  const { status } = options
  const said = told?.error.code ?? ''
  const code = /^[a-z][a-z0-9_]{0,63}$/.test(said) ? said : status === undefined ? 'failed' : `http_${status}`
  const isBusy = TEMPORARY.has(code) || PASSING.test(`${status}`)
  const retryable = isBusy && code !== 'no_draft_model'
  return new UpstreamError(code, meaning(code, told), { ...options, retryable, cause: told?.error.message })
}

function meaning(code: string, told: ErrorBody | undefined): string {
  const { param, allowed } = told?.error ?? {}
  if (code === 'invalid_request' && param) {
    const others = allowed ? `: it takes ${allowed.slice(0, 64).map(word).join(', ')}` : ''
    return `the backend refuses what was given as ${word(param)}${others}`
  }
  return meanings.get(code) ?? `the backend failed${status(code)}`
}

/** Names are let through, texts are not. */
const word = (said: string | null | undefined): string => (said && /^[\w.+-]{1,64}$/.test(said) ? said : 'a value')

const status = (code: string): string => (code.startsWith('http_') ? `: HTTP ${code.slice(5)}` : '')

const meanings = new Map<string, string>(
  Object.entries({
    overloaded: 'the backend has too much to do: try again shortly',
    out_of_memory: "the backend's memory is used up: try again shortly",
    loading: 'the backend is loading its models',
    draining: 'the backend is shutting down',
    context_busy: 'the backend is still at work on this text',
    context_lost: 'the backend has lost this text',
    no_draft_model: 'the backend has no draft model',
    invalid_request: 'the backend refuses this request',
    context_length_exceeded: "the text is longer than the model's context, or the backend's memory, can hold",
  }),
)
