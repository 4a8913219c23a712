import type { RunRequestInput } from '../protocol/run-request.ts'

/** How a model looks ahead where a call does not say: the `lookahead` field of a run. */
export type LookaheadSettings = NonNullable<RunRequestInput['lookahead']>
