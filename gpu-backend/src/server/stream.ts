import { addAbortListener } from 'node:events'
import { encodedStream, resumed } from '@lookahead/sdk/protocol'
import type { ProtocolError } from '@lookahead/sdk/protocol'
import type { Call } from './calls.ts'
import { publicError } from './errors.ts'

/** Who waits for its turn is not to look dead to a worker that gives silence a few seconds. */
const HEARTBEAT_MS = 1_000

type Events<Event> = AsyncGenerator<Event, void, undefined>

/** How one dialect words a stream; every text ends with the blank line of server-sent events. */
export interface Encoder<Event> {
  event(event: Event): string
  /** The last thing said when the events fail. */
  error(error: ProtocolError): string
  /** The last thing said when they end. Default: nothing. */
  end?: string
}

/**
 * Answers a call with events as they come. Headers go out at once, so what fails is said in the stream.
 * However the stream ends, and wherever its client leaves, unread or between two reads or while one waits: the call is
 * aborted if it was left, the generator is returned, and then the call is ended.
 */
export function stream<Event>(call: Call, events: Events<Event>, encoder: Encoder<Event>): Response {
  return respond(call, lines(call, events, encoder))
}

/** The same once the first event has come. @throws what fails before it, with the call not yet ended */
export async function streamOnceBegun<Event>(
  call: Call,
  events: Events<Event>,
  encoder: Encoder<Event>,
): Promise<Response> {
  const first = await events.next()
  return respond(call, lines(call, resumed(Promise.resolve(first), events), encoder))
}

function respond(call: Call, text: Events<string>): Response {
  // A generator that was never asked for anything would run none of its `finally` blocks when it is returned.
  const rest = resumed(text.next(), text)
  // Nobody need read or cancel the body of a client whose connection has closed. Who does read hears why it ends.
  addAbortListener(call.left, () => setImmediate(() => void rest.return()))
  return encodedStream(rest, (line) => line, { heartbeatMs: HEARTBEAT_MS, onCancel: call.leave })
}

/** Never throws. */
async function* lines<Event>(call: Call, events: AsyncIterable<Event>, encoder: Encoder<Event>): Events<string> {
  try {
    for await (const event of events) yield encoder.event(event)
    if (encoder.end !== undefined) yield encoder.end
  } catch (error) {
    yield encoder.error(publicError(error, call.request))
  } finally {
    call.end()
  }
}
