/** What went wrong with a run: what its client is told, and what its operator. */
import type { RunEvent } from '@lookahead/sdk/protocol'
import { UpstreamError } from './upstream.ts'

/** What a run was doing: drafting steps, having them verified, or decoding plainly. */
export type Phase = 'draft' | 'verify' | 'decode'

/** One line for the log. */
export interface Trouble {
  event: 'run.failed' | 'run.degraded' | 'run.waiting'
  run_id: string
  phase: Phase
  /** As the client was told. */
  code: string
  message: string
  /** What the backend gave as its reason, and in `cause` its own words. */
  backend_code?: string
  backend_status?: number | undefined
  /** Which backend it was. */
  backend_host?: string | undefined
  /** What was beneath. */
  cause?: string | undefined
  /** Of an error that nobody foresaw. */
  stack?: string | undefined
}

type TroubleEvent = Extract<RunEvent, { type: Trouble['event'] }>

export const failed = (error: unknown): TroubleEvent => ({ type: 'run.failed', ...asTarget(error) })

/** Not the end: the target is waited for, or the run goes on at another place. */
export function waiting(error: UpstreamError, elsewhere = false): TroubleEvent {
  const { code, message } = asTarget(error)
  return { type: 'run.waiting', code, message: elsewhere ? `${message}; the run goes on at another` : message }
}

export const degraded = (part: 'draft' | 'judge', error: unknown): TroubleEvent => ({
  type: 'run.degraded',
  part,
  ...known(error),
})

export function trouble({ type, code, message }: TroubleEvent, run_id: string, phase: Phase, error: unknown): Trouble {
  const told = { event: type, run_id, phase, code, message }
  if (!(error instanceof UpstreamError)) return { ...told, stack: stackOf(error) }
  const { code: backend_code, status: backend_status, host: backend_host, cause } = error
  return { ...told, backend_code, backend_status, backend_host, cause: words(cause) }
}

/** An error and its causes, for a log. */
export function words(error: unknown): string | undefined {
  if (error === undefined) return undefined
  if (!(error instanceof Error)) return JSON.stringify(error)
  const because = words(error.cause)
  return `${error.name}: ${error.message}${because === undefined ? '' : `; ${because}`}`
}

/** Where an error that nobody foresaw came from. */
export const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : words(error))

/** Why a target failed, as clients see it; `target_failed` for all other reasons. One code for one cause, however it shows. */
const failures = new Map<string, string>(
  Object.entries({
    unreachable: 'target_unavailable',
    stream_cut: 'target_unavailable',
    idle: 'target_unavailable',
    interrupted: 'interrupted',
    stuck: 'target_unavailable',
    context_lost: 'target_unavailable',
    context_busy: 'target_unavailable',
    loading: 'target_unavailable',
    draining: 'target_unavailable',
    unauthorized: 'backend_unauthorized',
    overloaded: 'overloaded',
    out_of_memory: 'overloaded',
    invalid_request: 'invalid_request',
    context_length_exceeded: 'context_length_exceeded',
  }),
)

function asTarget(error: unknown): { code: string; message: string } {
  const { code, message } = known(error)
  return {
    code: failures.get(code) ?? (/^http_5(0[234]|2[0-4]|30)$/.test(code) ? 'target_unavailable' : 'target_failed'),
    message,
  }
}

/** What may be said outside. */
function known(error: unknown): { code: string; message: string } {
  if (error instanceof UpstreamError) return { code: error.code, message: error.message }
  return { code: 'internal_error', message: 'the worker failed; its log says why' }
}
