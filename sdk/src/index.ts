export { Lookahead } from './client.ts'
export type { CallOptions, LookaheadOptions, ResumeOptions } from './options.ts'
export {
  AbortedError,
  ApiError,
  ConnectionError,
  LookaheadError,
  RunFailedError,
  StreamInterruptedError,
  TimeoutError,
  UsageError,
} from './errors.ts'
export type { LookaheadFailure } from './errors.ts'
export type { RunResult, RunStep } from './run-result.ts'
export { RunStream } from './run-stream.ts'
export type { TextDelta } from './run-stream.ts'
export type { RunRequest, RunRequestInput } from './protocol/run-request.ts'
export type { Mode } from './protocol/mode.ts'
export type { RunEvent, RunStats } from './protocol/runs.ts'
export type { StoredRun } from './protocol/stored-run.ts'
export type { Health } from './protocol/health.ts'
export type { Leavable } from './protocol/leavable.ts'
export type { Models } from './protocol/models.ts'
export type { Message, Sampling } from './protocol/sampling.ts'
export type { StepRules, StepRulesInput } from './protocol/steps.ts'
export type { FinishReason, Usage } from './protocol/usage.ts'
export type { Verifier } from './protocol/verifier.ts'
