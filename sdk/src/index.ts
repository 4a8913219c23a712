export { Lookahead } from './client.ts'
export type { CallOptions, LookaheadOptions } from './client.ts'
export {
  AbortedError,
  ApiError,
  ConnectionError,
  LookaheadError,
  RunFailedError,
  StreamInterruptedError,
  TimeoutError,
} from './errors.ts'
export type { LookaheadFailure } from './errors.ts'
export type { RunResult, RunStep } from './run-result.ts'
export { RunStream } from './run-stream.ts'
export type { TextDelta } from './run-stream.ts'
export type { Mode, RunEvent, RunRequest, RunRequestInput, RunStats } from './protocol/runs.ts'
export type { Models } from './protocol/models.ts'
export type { FinishReason, Message, Sampling, Usage, Verifier } from './protocol/sampling.ts'
