/** One call of the GPU backend: a POST, and the events that answer it, checked as they come. */
import { ErrorBody, Watchdog, parseRetryAfter, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UpstreamError } from '../lookahead/upstream.ts'

/** What the worker's users are told where the backend takes them for strangers: it is not their key that is wrong. */
export const UNAUTHORIZED = "the backend refuses the worker: the worker's operator must set BACKEND_TOKEN"

/** `overloaded` may also come inside a stream, `context_busy` while an abandoned call is still ending. */
const TEMPORARY: ReadonlySet<string> = new Set(['overloaded', 'context_busy'])

export interface Post {
  url: string
  headers: Record<string, string>
  body: string
  fetch?: typeof fetch | undefined
  /** Silence after which the call has failed, in milliseconds. Default 60,000. */
  idleMs?: number | undefined
}

/**
 * Ends with the event `done`.
 * @throws {UpstreamError} the backend's own code, or `unreachable`, `unauthorized`, `stream_cut`, `bad_event`, `idle`;
 * the signal's reason, when it aborts
 */
export async function* callForEvents<Event extends { type: string }>(
  post: Post,
  schema: v.GenericSchema<unknown, Event>,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  const { idleMs = 60_000 } = post
  const watchdog = new Watchdog(signal)
  const absent = () => new UpstreamError('unreachable', 'the backend does not answer', { retryable: true })
  const silent = () => new UpstreamError('idle', 'the backend went silent')
  try {
    const body = await watchdog.wait(() => answer(post, watchdog.signal), idleMs, absent)
    for await (const { data } of readEvents(watchdog.watch(body, idleMs, silent))) {
      const event = v.safeParse(schema, parseJson(data))
      if (!event.success) throw new UpstreamError('bad_event', 'the backend sent an event of an unknown form')
      const failed = v.safeParse(ErrorBody, event.output)
      if (failed.success) throw failure(failed.output)
      yield event.output
      if (event.output.type === 'done') return
    }
    throw new UpstreamError('stream_cut', 'the backend closed the stream before it was done')
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof UpstreamError) throw error
    throw new UpstreamError('stream_cut', 'the connection to the backend broke', { cause: error })
  }
}

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
  const told = v.safeParse(ErrorBody, parseJson(await response.text().catch(() => '')))
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'))
  throw failure(told.success ? told.output : undefined, { status, retryAfterMs })
}

/** What the backend says of itself, with a status or inside a stream. */
function failure(
  told: ErrorBody | undefined,
  options: { status?: number; retryAfterMs?: number | undefined } = {},
): UpstreamError {
  const { status } = options
  const code = told?.error.code ?? (status === undefined ? 'failed' : `http_${status}`)
  const isBusy = TEMPORARY.has(code) || status === 429 || status === 503
  const retryable = isBusy && code !== 'no_draft_model'
  return new UpstreamError(code, told?.error.message ?? `HTTP ${status}`, { ...options, retryable })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
