import { ProtocolError } from '@lookahead/sdk/protocol'

/** What may be said outside. Anything unforeseen is logged and stays inside. */
export function publicError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  console.error(error)
  return new ProtocolError(500, 'internal_error', 'the backend failed; its log says why')
}
