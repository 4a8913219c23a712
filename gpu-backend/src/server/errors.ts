import { ProtocolError } from '@lookahead/sdk/protocol'
import { EngineError } from '../engine/errors.ts'
import type { EngineErrorCode } from '../engine/errors.ts'
import { OnnxRuntimeError } from '../onnxruntime/index.ts'

const statuses: Record<EngineErrorCode, number> = {
  invalid_request: 400,
  context_length_exceeded: 400,
  context_lost: 409,
  context_busy: 409,
  no_draft_model: 503,
}

/** What may be said outside. Anything unforeseen is logged and stays inside. */
export function publicError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (error instanceof EngineError) {
    const { code, message, param, allowed, cause } = error
    return new ProtocolError(statuses[code], code, message, { ...(param && { param }), allowed, cause })
  }
  if (error instanceof OnnxRuntimeError && error.outOfMemory) {
    console.error(
      `a forward found no memory: give less to slots (--memory) or forwards (--batch-tokens): ${error.message}`,
    )
    return new ProtocolError(
      503,
      'out_of_memory',
      "the backend's memory is used up: try again, with fewer or shorter texts at once",
      { retryAfter: 1 },
    )
  }
  console.error(error)
  return new ProtocolError(500, 'internal_error', 'the backend failed; its log says why')
}
