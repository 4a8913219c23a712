export { AdaptiveController } from './adaptive-controller.ts'
export { fixedController, plain } from './controller.ts'
export type { Controller, Cycle, Plan } from './controller.ts'
export type { TokenGuesses } from './token-guesses.ts'
export { Controllers } from './controllers.ts'
export { cycle, cycleWithProgress } from './cycle.ts'
export type { CycleOptions } from './cycle.ts'
export type { Checkpoint, Progress, Said, SavedRun } from './checkpoint.ts'
export { stackOf, words } from './trouble.ts'
export type { Trouble } from './trouble.ts'
export { UpstreamError } from './upstream.ts'
export type {
  Ahead,
  Commit,
  DraftedStep,
  DraftEvent,
  Following,
  FollowEvent,
  Opened,
  Session,
  TextRequest,
  Upstream,
  Verdict,
  Verification,
  VerifyEvent,
  Work,
} from './upstream.ts'
