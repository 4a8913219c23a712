/**
 * `not_found`: the hub has no such repository, revision or file. `forbidden`: it asks for a token, or for another one.
 * `unreachable`: it does not answer, answers with an error, or the transfer broke off. `corrupt`: what came is not what
 * was promised. `busy`: another pull writes into the same folder. `no_space`: the disk is too small.
 */
export type HubErrorCode = 'not_found' | 'forbidden' | 'unreachable' | 'corrupt' | 'busy' | 'no_space'

/** A checkpoint cannot be had; the message is one line that says what to do. */
export class HubError extends Error {
  override readonly name = 'HubError'
  readonly code: HubErrorCode

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
