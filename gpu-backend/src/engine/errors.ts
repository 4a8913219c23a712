/**
 * - `context_lost`: there is no such context, or it holds another number of output tokens
 * - `context_busy`: a call of the same kind is at work on it
 * - `context_length_exceeded`: more tokens than the model or its memory holds
 * - `invalid_request`: what was given is no prompt, or none of this model's
 * - `no_draft_model`: the engine was loaded without one
 */
export type EngineErrorCode =
  | 'context_lost'
  | 'context_busy'
  | 'context_length_exceeded'
  | 'invalid_request'
  | 'no_draft_model'

/** The engine refuses: the caller's fault, or a state that the caller can mend. The message says how. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode
  /** The part of the request at fault, for example `context.messages`. */
  readonly param: string | undefined
  /** The values that the part may have, where they are names. */
  readonly allowed: readonly string[] | undefined

  constructor(
    code: EngineErrorCode,
    message: string,
    options: { param?: string; allowed?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.param = options.param
    this.allowed = options.allowed
  }
}
