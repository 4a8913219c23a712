export { HubError, type HubErrorCode } from './error.ts'
export { pull, type PullOptions, type PullProgress, type PullResult } from './pull.ts'
