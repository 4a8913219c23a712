/** Stored runs, as requests come to them: each has an object of its own, named by its id. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { RunRequest } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { keysOf, sha256 } from '../access/keys.ts'
import { notConfigured } from '../setting-values.ts'
import type { App } from '../settings.ts'
import type { Order } from './orders.ts'
import { notFound } from './record.ts'
import { retentionMsOf } from './retention.ts'

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Visible ASCII. */
const KEY = /^[!-~]{1,255}$/

type WithoutOwner<Wish> = Wish extends Order ? Omit<Wish, 'owner'> : never

/**
 * Begins a stored run, or comes back to the one that the same `Idempotency-Key` has begun; answered by all its events.
 * @param note what the dialect that asks needs to word the run once more
 * @throws {ProtocolError} as `startRun` does; 422 `idempotency_key_reused`; as `askRun` does
 */
export async function startStoredRun(
  request: RunRequest,
  c: Context<App>,
  note?: object,
): Promise<{ id: string; answer: Response }> {
  retentionMsOf(c.env)
  const key = c.req.header('idempotency-key')
  if (key !== undefined && !KEY.test(key))
    throw new ProtocolError(400, 'invalid_request', 'Idempotency-Key: must be 1 to 255 visible ASCII characters')
  // The same key is the same run, without anybody keeping a list of keys.
  const id = key === undefined ? c.var.requestId : toUuid(await sha256(`${await ownerOf(c)}\n${key}`))
  const fingerprint = await sha256(JSON.stringify(note ? [request, note] : request))
  return { id, answer: await askRun(c, id, { do: 'start', id, fingerprint, request, caller: c.var.caller, note }) }
}

/**
 * @throws {ProtocolError} 404 `run_not_found`, also where it is another key's; 500 `not_configured`; 503 `store_unavailable`
 */
export async function askRun(c: Context<App>, id: string, asked: WithoutOwner<Order>): Promise<Response> {
  const { RUNS } = c.env
  if (!RUNS)
    throw notConfigured('RUNS', 'to the Durable Object that keeps runs, as in wrangler.toml: nothing is stored here')
  if (!ID.test(id)) throw notFound()
  const body = JSON.stringify({ ...asked, owner: await ownerOf(c) })
  try {
    const answer = await RUNS.getByName(id).fetch('https://run/', { method: 'POST', body })
    // A copy, whose headers can be added to.
    return new Response(answer.body, answer)
  } catch (cause) {
    throw new ProtocolError(503, 'store_unavailable', 'the stored run cannot be reached just now', {
      retryAfter: 1,
      cause,
    })
  }
}

/** Whose key was shown; where none is asked for, all are one. */
const ownerOf = async ({ env, var: { caller } }: Context<App>): Promise<string> =>
  (await keysOf(env)).length > 0 ? caller.name : ''

/** A hash in the form of a UUID of version 8, one of the maker's own. @see RFC 9562 */
const toUuid = (hex: string): string => hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-8$3-8$4-$5')
