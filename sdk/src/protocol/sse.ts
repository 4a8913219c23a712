/** Server-sent events, both ways. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { createParser } from 'eventsource-parser'
import { leavable } from './leavable.ts'
import type { Leavable } from './leavable.ts'

export interface ServerSentEvent {
  /** The `event:` field; `message` when there was none. */
  event: string
  data: string
  /** The last `id:` seen, if any. */
  id: string | undefined
}

/** Whether an event is the one that follows `count` others in a stream whose events are numbered from 0; true where they are not. */
export const isNext = (id: string | undefined, count: number): boolean =>
  !/^\d+$/.test(id ?? '') || Number(id) === count

/** One event may buffer at most this many characters before its blank line comes. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024

/**
 * Reads a response body as events. Single use; leaving cancels the body at once, which closes the connection.
 * The last event counts only with its blank line, so a cut stream yields no half event.
 */
export function readEvents(body: ReadableStream<Uint8Array>): Leavable<ServerSentEvent> {
  const reader = body.getReader()
  // Cancelling a finished or broken body rejects or does nothing; either way there is no one left to tell.
  const cancel = () => reader.cancel().catch(() => undefined)
  return leavable(parseEvents(reader, cancel), cancel)
}

async function* parseEvents(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  cancel: () => Promise<void>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
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
    await cancel()
  }
}

export interface EventStreamOptions {
  /** Comments keep proxies from closing a silent stream. Milliseconds; default 15,000. */
  heartbeatMs?: number
  /** Called once, when the reader leaves before the end. */
  onCancel?: () => void
}

/** One event on the wire; `id` is left out when undefined. */
export function encodeEvent(event: { type: string }, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/**
 * An SSE response fed by an iterator: pulled only as fast as the client reads, headers and a first comment sent at once.
 * When the client leaves, `onCancel` is called and the iterator is returned: a generator's `finally` blocks run, but for one
 * whose first event was not asked for yet, which has begun nothing.
 * The iterator must not throw: what can go wrong is an event of its own.
 */
export function eventStream(
  events: AsyncIterator<{ type: string }, void, undefined>,
  { ids = false, firstId = 0, ...options }: EventStreamOptions & { ids?: boolean; firstId?: number } = {},
): Response {
  let id = firstId
  return encodedStream(events, (event) => encodeEvent(event, ids ? id++ : undefined), options)
}

/** The same for any dialect: `encode` gives an event's text on the wire, with the blank line that ends it. */
export function encodedStream<Event>(
  events: AsyncIterator<Event, void, undefined>,
  encode: (event: Event) => string,
  { heartbeatMs = 15_000, onCancel }: EventStreamOptions = {},
): Response {
  const encoder = new TextEncoder()
  let heartbeat: ReturnType<typeof setInterval> | undefined
  const hush = (): void => {
    if (heartbeat !== undefined) clearInterval(heartbeat)
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(encoder.encode(': ok\n\n'))
        const beat = () => {
          // What a slow client has not read yet keeps the line busy as well.
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': keepalive\n\n'))
        }
        heartbeat = setInterval(beat, heartbeatMs)
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
        await events.return?.()
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
