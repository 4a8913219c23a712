import { ProtocolError } from '@lookahead/sdk/protocol'
import { EngineError } from '../engine/errors.ts'
import type { EngineErrorCode } from '../engine/errors.ts'
import { OnnxRuntimeError } from '../onnxruntime/index.ts'
import { logLine, stackOf } from '../log.ts'

const statuses: Record<EngineErrorCode, number> = {
  invalid_request: 400,
  context_length_exceeded: 400,
  context_lost: 409,
  context_busy: 409,
  no_draft_model: 503,
}

/** What the log calls a request. */
export interface RequestNames {
  request_id: string
  path: string
}

/** What may be said outside of why a request failed. Where that is no fault of the caller's, it is logged. */
export function publicError(error: unknown, request: RequestNames | undefined): ProtocolError {
  const [told, why] = worded(error)
  const { status, code, message } = told
  if (status >= 500) logLine({ event: 'request.failed', ...request, status, code, message, ...why })
  return told
}

/** What may be said, and what only the log says. */
function worded(error: unknown): [told: ProtocolError, why?: object] {
  if (error instanceof ProtocolError) return [error]
  if (error instanceof EngineError) {
    const { code, message, param, allowed, cause } = error
    return [new ProtocolError(statuses[code], code, message, { ...(param && { param }), allowed, cause })]
  }
  if (error instanceof OnnxRuntimeError && error.outOfMemory) {
    const message = "the backend's memory is used up: try again, with fewer or shorter texts at once"
    const cause = `a forward found no memory: give less to slots (--memory) or forwards (--batch-tokens): ${error.message}`
    return [new ProtocolError(503, 'out_of_memory', message, { retryAfter: 1 }), { cause }]
  }
  return [new ProtocolError(500, 'internal_error', 'the backend failed; its log says why'), { stack: stackOf(error) }]
}
