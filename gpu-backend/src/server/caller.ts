import { hash } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/** Who calls. */
export interface Caller {
  /** Aborted when the connection closes before the answer is complete. */
  connection: AbortSignal
  /** Among such the queue is shared out: a key, or where none was shown, an address. */
  client: string
  /**
   * Of the key that was shown; empty where none was. What one key's texts leave in the prefix caches, and the contexts they have,
   * no other key's calls find.
   */
  key: string
}

export function callerOf(c: Context): Caller {
  const shown = c.req.header('authorization')
  const key = shown === undefined ? '' : hash('sha256', shown, 'base64')
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  return { connection: c.req.raw.signal, client: key || (incoming?.socket.remoteAddress ?? ''), key }
}

/** What the texts of a call are kept apart by in the prefix caches. @param salt the call's own, if any */
export const cacheSalt = ({ key }: Caller, salt: string | undefined): string =>
  salt === undefined ? key : `${key}\n${salt}`
