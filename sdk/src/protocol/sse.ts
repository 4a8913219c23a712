/** Server-sent events, both ways. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { createParser } from 'eventsource-parser'

export interface ServerSentEvent {
  /** The `event:` field; `message` when there was none. */
  event: string
  data: string
  /** The last `id:` seen, if any. */
  id: string | undefined
}

/** One event may buffer at most this many characters before its blank line comes. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024

/**
 * Reads a response body as events. Single use; leaving the loop early cancels the body, which closes the connection.
 * The last event counts only with its blank line, so a cut stream yields no half event.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const ready: ServerSentEvent[] = []
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent: ({ event, data, id }) => ready.push({ event: event ?? 'message', data, id }),
  })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      yield* ready.splice(0)
    }
  } finally {
    // Cancelling a finished or broken body rejects or does nothing; either way there is no one left to tell.
    await reader.cancel().catch(() => undefined)
  }
}

export interface EventStreamOptions {
  /** Comments keep proxies from closing a silent stream. Milliseconds; default 15,000. */
  heartbeatMs?: number
  /** Called once, when the reader leaves before the end. */
  onCancel?: () => void
}

const encoder = new TextEncoder()

/** One event on the wire; `id` is left out when undefined. */
export function encodeEvent(event: { type: string }, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/**
 * An SSE response fed by a generator: pulled only as fast as the client reads, headers and a first comment sent at once.
 * When the client leaves, `onCancel` is called and the generator is returned (its `finally` blocks run).
 * The generator must not throw: what can go wrong is an event of its own.
 */
export function eventStream(
  events: AsyncGenerator<{ type: string }, void, undefined>,
  { ids = false, ...options }: EventStreamOptions & { ids?: boolean } = {},
): Response {
  let id = 0
  return encodedStream(events, (event) => encodeEvent(event, ids ? id++ : undefined), options)
}

/** The same for any dialect: `encode` gives an event's text on the wire, with the blank line that ends it. */
export function encodedStream<Event>(
  events: AsyncGenerator<Event, void, undefined>,
  encode: (event: Event) => string,
  { heartbeatMs = 15_000, onCancel }: EventStreamOptions = {},
): Response {
  let heartbeat: ReturnType<typeof setInterval> | undefined
  const hush = (): void => {
    if (heartbeat !== undefined) clearInterval(heartbeat)
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(encoder.encode(': ok\n\n'))
        heartbeat = setInterval(() => controller.enqueue(encoder.encode(': keepalive\n\n')), heartbeatMs)
      },
      async pull(controller) {
        try {
          const { done, value } = await events.next()
          if (!done) return controller.enqueue(encoder.encode(encode(value)))
          hush()
          controller.close()
        } catch (error) {
          hush()
          controller.error(error)
        }
      },
      async cancel() {
        hush()
        onCancel?.()
        await events.return()
      },
    },
    { highWaterMark: 1 },
  )
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    },
  })
}
