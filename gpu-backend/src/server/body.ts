import { setTimeout } from 'node:timers/promises'
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>

/** A body that is too large is read on for so long: a client hears no answer while it still writes. */
const LINGER_MS = 500
const LINGER_BYTES = 64 * 1024 * 1024

/**
 * Refuses bodies of more than `most` bytes: 413 `request_too_large`, after which the connection is closed.
 * @throws {ProtocolError} 499 `client_left`, 400 for a body that cannot be read
 */
export const limitBody = (most: number): MiddlewareHandler =>
  async function readBody(c, next) {
    const { body, headers, method, signal } = c.req.raw
    if (!body || declaredLength(headers) <= most) return next()
    const read = await readUpTo(body.getReader(), most).catch((cause: unknown) => {
      if (signal.aborted) throw new ProtocolError(499, 'client_left', 'the client left', { cause })
      throw new ProtocolError(400, 'invalid_request', 'the request body cannot be read', { cause })
    })
    if (read) {
      c.req.raw = new Request(c.req.raw, { method, body: read })
      return next()
    }
    const { body: error } = new ProtocolError(413, 'request_too_large', `the request body may be ${most} bytes at most`)
    // What is left of the body would be taken for the next request.
    return c.json(error, 413, { connection: 'close' })
  }

/** Infinite where only the end of the body will tell. */
function declaredLength(headers: Headers): number {
  const length = headers.has('transfer-encoding') ? null : headers.get('content-length')
  return length === null ? Infinity : Number(length)
}

/** Undefined when there are more bytes; then they are read on for a while. */
async function readUpTo(reader: Reader, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    size += value.length
    if (size > most) {
      await Promise.race([discard(reader), setTimeout(LINGER_MS, undefined, { ref: false })])
      return undefined
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
