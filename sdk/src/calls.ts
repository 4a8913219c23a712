/** Calls that are answered in one piece. Loaded with the first of them: most apps need none. */
import * as v from 'valibot'
import { AbortedError, ApiError } from './errors.ts'
import { Health } from './protocol/health.ts'
import { Models } from './protocol/models.ts'
import { retry } from './protocol/retry.ts'
import { StoredRun } from './protocol/stored-run.ts'
import { Watchdog } from './protocol/watchdog.ts'
import { retries } from './retry.ts'
import { apiError, late, readJson, requestIdOf, send } from './transport.ts'
import type { Call, Settings } from './transport.ts'

export const calls = {
  health: (settings: Settings, signal?: AbortSignal) => ask(settings, { path: 'health' }, Health, signal),
  models: (settings: Settings, signal?: AbortSignal) => ask(settings, { path: 'v1/models' }, Models, signal),
  retrieve: (settings: Settings, signal: AbortSignal | undefined, id: string) =>
    ask(settings, { path: runPath(id) }, StoredRun, signal),
  cancel: (settings: Settings, signal: AbortSignal | undefined, id: string) =>
    ask(settings, { path: runPath(id, '/cancel'), body: '' }, StoredRun, signal),
}

export type Calls = typeof calls
export type Answer<Name extends keyof Calls> = Awaited<ReturnType<Calls[Name]>>

/** Where a stored run is. */
export const runPath = (id: string, rest = ''): string => `v1/runs/${encodeURIComponent(id)}${rest}`

async function ask<const Schema extends v.GenericSchema>(
  settings: Settings,
  call: Call,
  schema: Schema,
  signal = new AbortController().signal,
): Promise<v.InferOutput<Schema>> {
  try {
    const attempt = () => fetchJson(settings, call, schema, signal)
    return await retry(attempt, retries(settings.maxRetries, signal))
  } catch (error) {
    throw signal.aborted ? new AbortedError('the call was aborted', { cause: signal.reason }) : error
  }
}

/** One attempt. What has the form asked for is the answer, whatever its status. */
async function fetchJson<const Schema extends v.GenericSchema>(
  settings: Settings,
  call: Call,
  schema: Schema,
  signal: AbortSignal,
): Promise<v.InferOutput<Schema>> {
  const watchdog = new Watchdog(signal)
  const read = async () => {
    const answer = await send(settings, call, watchdog.signal)
    return [answer, await readJson(answer)] as const
  }
  const [response, json] = await watchdog.wait(read, settings.timeoutMs, late(settings))
  const parsed = v.safeParse(schema, json)
  if (parsed.success) return parsed.output
  if (!response.ok) throw apiError(response, json)
  throw new ApiError(response.status, 'malformed_answer', `${call.path} answered with something else than expected`, {
    requestId: requestIdOf(response),
  })
}
