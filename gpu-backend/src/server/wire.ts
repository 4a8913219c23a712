/** `/v1/draft` and `/v1/verify` on the wire, both ways; the engine's requests and events have its shape. */
import { DraftRequest, VerifyRequest, encodeEvent, parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { DraftEvent, VerifyEvent } from '@lookahead/sdk/protocol'
import type { Encoder } from './stream.ts'

export type LookaheadEvent = DraftEvent | VerifyEvent

/** @throws {ProtocolError} 400 */
export const readDraft = async (request: Request): Promise<DraftRequest> =>
  parseRequest(DraftRequest, await readJson(request))

/** @throws {ProtocolError} 400 */
export const readVerify = async (request: Request): Promise<VerifyRequest> =>
  parseRequest(VerifyRequest, await readJson(request))

export const encoder: Encoder<LookaheadEvent> = {
  event: (event) => encodeEvent(event),
  error: ({ body }) => encodeEvent({ type: 'error', ...body }),
}
