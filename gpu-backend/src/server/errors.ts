import { ProtocolError } from '@lookahead/sdk/protocol'
import { OnnxRuntimeError } from '../onnxruntime/index.ts'

/** What may be said outside. Anything unforeseen is logged and stays inside. */
export function publicError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
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
