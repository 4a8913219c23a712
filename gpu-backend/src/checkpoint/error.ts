/**
 * `not_found`: a folder or file is missing. `invalid`: a file is broken or contradicts another. `unsupported`: the model is
 * sound, but this engine cannot run it. `unwritable`: the built graph cannot be kept on disk. `closed`: the model was closed.
 */
export type ModelErrorCode = 'not_found' | 'invalid' | 'unsupported' | 'unwritable' | 'closed'

/** A model cannot be loaded or used; the message is one line that says what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly code: ModelErrorCode

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
