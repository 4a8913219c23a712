/** What is kept of a stored run beside its events, and what is said of it. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { RunEvent, StoredRun } from '@lookahead/sdk/protocol'
import type { Journal } from './journal.ts'

export interface RunRecord {
  id: string
  /** Who may see it: the name of the key that asked for it; empty where no key is asked for. */
  owner: string
  /** A hash of the request, which is kept itself only as long as the run goes on. */
  fingerprint: string
  /** Milliseconds since 1970. */
  createdAt: number
}

type Failed = Extract<RunEvent, { type: 'run.failed' }>

const CANCELLED = 'cancelled'

export const cancelled: Failed = { type: 'run.failed', code: CANCELLED, message: 'the run was cancelled' }

export const interrupted: Failed = {
  type: 'run.failed',
  code: 'interrupted',
  message: 'the worker was restarted while the run went on, and the run could not be taken up: ask again',
}

export const notFound = (): ProtocolError =>
  new ProtocolError(404, 'run_not_found', 'there is no such stored run, or none any more')

/** A run as far as it is stored. @param retentionMs how long it is kept after its end */
export function stateOf({ id, createdAt }: RunRecord, journal: Journal, retentionMs: number): StoredRun {
  const text = { reasoning: '', answer: '' }
  let last: RunEvent | undefined
  for (const event of journal.stored()) {
    if (event.type === 'text.delta' && Object.hasOwn(text, event.channel))
      text[event.channel as keyof typeof text] += event.text
    last = event
  }
  const completed = last?.type === 'run.completed' ? last : undefined
  const failed = last?.type === 'run.failed' ? last : undefined
  const { endedAt } = journal
  return {
    id,
    object: 'run',
    status: completed ? 'completed' : failed ? (failed.code === CANCELLED ? 'cancelled' : 'failed') : 'running',
    created_at: seconds(createdAt),
    expires_at: endedAt === undefined ? null : seconds(endedAt + retentionMs),
    last_event_id: journal.length - 1,
    ...text,
    finish_reason: completed?.finish_reason ?? null,
    usage: completed?.usage ?? null,
    error: failed ? { code: failed.code, message: failed.message } : null,
  }
}

export const seconds = (ms: number): number => Math.floor(ms / 1000)
