import { APICallError } from '@ai-sdk/provider'
import type { RunRequestInput } from '../protocol/run-request.ts'
import { LookaheadError } from '../errors.ts'

/** What the AI SDK knows a failed call by, and repeats where that may help. An abort stays the caller's own reason. */
export function toCallError(
  error: unknown,
  { url, request, abortSignal }: { url: string; request: RunRequestInput; abortSignal: AbortSignal | undefined },
): unknown {
  if (abortSignal?.aborted) return abortSignal.reason
  if (!LookaheadError.isInstance(error)) return error
  return new APICallError({
    message: error.message,
    url,
    requestBodyValues: request,
    ...(error.kind === 'api' && { statusCode: error.status }),
    ...(error.requestId && { responseHeaders: { 'x-request-id': error.requestId } }),
    cause: error,
    isRetryable: error.retryable,
    data: { code: error.code },
  })
}
