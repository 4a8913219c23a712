import { setTimeout } from 'node:timers/promises'
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>

/** A body that is refused is read on for so long: a client hears no answer while it still writes. */
const LINGER_MS = 500
const LINGER_BYTES = 64 * 1024 * 1024

/** A body of so few bytes is read however many others are. */
const SMALL = 64 * 1024

/**
 * Refuses bodies of more than `most` bytes: 413 `request_too_large`, and bodies that would have more than `together` bytes in memory,
 * all that are being read: 429 `overloaded`. The connection is closed then.
 * @throws {ProtocolError} 499 `client_left`, 400 for a body that cannot be read
 */
export function limitBody(most: number, together: number): MiddlewareHandler {
  let held = 0
  return async function readBody(c, next) {
    const { headers, method, signal } = c.req.raw
    if (declaredLength(headers) <= SMALL) return next()
    const { body } = c.req.raw
    if (!body) return next()
    const tooLarge = new ProtocolError(413, 'request_too_large', `the request body may be ${most} bytes at most`)
    const tooMany = new ProtocolError(429, 'overloaded', 'too many bodies are being read: try again shortly', {
      retryAfter: 1,
    })
    let own = 0
    /** Why so many more bytes are refused. */
    const take = (bytes: number): ProtocolError | undefined => {
      if (own + bytes > most) return tooLarge
      if (held + bytes > together && own + bytes > SMALL) return tooMany
      own += bytes
      held += bytes
      return undefined
    }
    try {
      const read = await readAll(body.getReader(), take).catch((cause: unknown) => {
        if (signal.aborted) throw new ProtocolError(499, 'client_left', 'the client left', { cause })
        throw new ProtocolError(400, 'invalid_request', 'the request body cannot be read', { cause })
      })
      if (read instanceof ProtocolError) {
        const response = read.toResponse()
        // What is left of the body would be taken for the next request.
        response.headers.set('connection', 'close')
        return response
      }
      c.req.raw = new Request(c.req.raw, { method, body: read })
      await next()
    } finally {
      held -= own
    }
    return undefined
  }
}

/** Infinite where only the end of the body will tell. */
function declaredLength(headers: Headers): number {
  const length = headers.has('transfer-encoding') ? null : headers.get('content-length')
  return length === null ? Infinity : Number(length)
}

/** All bytes; or why not, and then they are read on for a while. */
async function readAll(
  reader: Reader,
  take: (bytes: number) => ProtocolError | undefined,
): Promise<Uint8Array<ArrayBuffer> | ProtocolError> {
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    const refusal = take(value.length)
    if (refusal) {
      await Promise.race([discard(reader), setTimeout(LINGER_MS, undefined, { ref: false })])
      return refusal
    }
    chunks.push(value)
  }
}

async function discard(reader: Reader): Promise<void> {
  let left = LINGER_BYTES
  while (left > 0) {
    const { done, value } = await reader.read()
    if (done) return
    left -= value.length
  }
}
