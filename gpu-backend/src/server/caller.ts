import { hash } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { RequestIdVariables } from 'hono/request-id'
import type { RequestNames } from './errors.ts'

/** Who calls. */
export interface Caller {
  /** Aborted when the connection closes before the answer is complete. */
  connection: AbortSignal
  /** Among such the queue is shared out: a token, or where none is asked for, an address. */
  client: string
  /** Among such a client's part of it is shared out: by its salts, as a worker has one for each of its own clients. */
  user: string
  /**
   * Of the key that was shown; empty where none was. What one key's texts leave in the prefix caches, and the contexts they have,
   * no other key's calls find.
   */
  key: string
  /** What its texts are kept apart by in the prefix caches. */
  salt: string
  request: RequestNames
}

/** @param isGuarded whether callers have shown a token; @param own the call's salt, if it has one */
export function callerOf(c: Context, { isGuarded }: { isGuarded: boolean }, own?: string): Caller {
  const shown = c.req.header('authorization')
  const key = shown === undefined ? '' : hash('sha256', shown, 'base64')
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  const salt = own === undefined ? key : `${key}\n${own}`
  return {
    connection: c.req.raw.signal,
    // Where nobody asks for them, keys and salts are whatever a client invents.
    ...(isGuarded ? { client: key, user: salt } : { client: incoming?.socket.remoteAddress ?? '', user: '' }),
    key,
    salt,
    request: requestNames(c),
  }
}

export const requestNames = (c: Context): RequestNames => ({
  request_id: (c as Context<{ Variables: RequestIdVariables }>).var.requestId,
  path: c.req.path,
})
