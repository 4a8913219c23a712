import { ProtocolError } from './errors.ts'
import { within } from './within.ts'

/** A body that is refused is read on for so long: a client hears no answer while it still writes. */
const LINGER_MS = 500
const LINGER_BYTES = 64 * 1024 * 1024

/** A body of so few bytes is still read where larger ones have all the room, out of a reserve of this part of it. */
const SMALL = 64 * 1024
const RESERVE = 1 / 4

/** How long the whole of a body may take to come. */
const WHOLE_MS = 60_000

export interface BodyLimits {
  /** Bytes of one body; beyond: 413 `request_too_large`. */
  most: number
  /** Bytes in memory of all that are being read, small ones a quarter more; beyond: 429 `overloaded`. */
  together: number
  /** How long the whole of it may take to come; beyond: 408 `request_timeout`. Milliseconds; default 60,000. */
  wholeMs?: number
}

/** What a body has in memory, and until when it may. */
interface Hold {
  bytes: number
  end: number
}

/**
 * The bodies of requests that a server is reading, which all together may have so many bytes in memory. None counts for longer than
 * it may take to come: workerd drops the code that reads it, `finally` included, when its client leaves.
 */
export class Bodies {
  #held = 0
  /** In the order in which they end. */
  readonly #holds = new Set<Hold>()

  /**
   * Answers a request once its body is there, or refuses it.
   * @throws {ProtocolError} 499 `client_left`, 400 for a body that cannot be read
   */
  async within<Answer>(
    request: Request,
    { most, together, wholeMs = WHOLE_MS }: BodyLimits,
    answer: (request: Request) => Promise<Answer>,
  ): Promise<Answer | Response> {
    const { body, method, signal } = request
    if (!body) return answer(request)
    const hold: Hold = { bytes: 0, end: Date.now() + wholeMs }
    this.#holds.add(hold)
    /** Why so many more bytes are refused. */
    const take = (bytes: number): ProtocolError | undefined => {
      if (hold.bytes + bytes > most) return tooLarge(most)
      this.#forget()
      const room = hold.bytes + bytes > SMALL ? together : together * (1 + RESERVE)
      if (this.#held + bytes > room) return tooMany()
      hold.bytes += bytes
      this.#held += bytes
      return undefined
    }
    try {
      const read = await readAll(body.getReader(), take, wholeMs).catch((cause: unknown) => {
        if (signal.aborted) throw new ProtocolError(499, 'client_left', 'the client left', { cause })
        throw new ProtocolError(400, 'invalid_request', 'the request body cannot be read', { cause })
      })
      if (!(read instanceof ProtocolError)) return await answer(new Request(request, { method, body: read }))
      const refusal = read.toResponse()
      // What is left of the body would be taken for the next request.
      refusal.headers.set('connection', 'close')
      return refusal
    } finally {
      this.#release(hold)
    }
  }

  #forget(): void {
    for (const hold of this.#holds) {
      if (hold.end > Date.now()) return
      this.#release(hold)
    }
  }

  #release(hold: Hold): void {
    if (this.#holds.delete(hold)) this.#held -= hold.bytes
  }
}

const tooLarge = (most: number): ProtocolError =>
  new ProtocolError(413, 'request_too_large', `the request body may be ${most} bytes at most`)
const tooMany = (): ProtocolError =>
  new ProtocolError(429, 'overloaded', 'too many bodies are being read: try again shortly', { retryAfter: 1 })
const tooSlow = (ms: number): ProtocolError =>
  new ProtocolError(408, 'request_timeout', `the whole request body must come within ${ms / 1000} s`)

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>

/** All bytes; or why not, and then they are read on for a while. */
async function readAll(
  reader: Reader,
  take: (bytes: number) => ProtocolError | undefined,
  wholeMs: number,
): Promise<Uint8Array<ArrayBuffer> | ProtocolError> {
  const chunks: Uint8Array[] = []
  const end = Date.now() + wholeMs
  for (;;) {
    const chunk = await within(end - Date.now(), reader.read())
    if (chunk?.done) return joined(chunks)
    const refusal = chunk ? take(chunk.value.length) : tooSlow(wholeMs)
    if (refusal) {
      await within(LINGER_MS, discard(reader))
      return refusal
    }
    chunks.push(chunk!.value)
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

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
