import { startServer } from './server.ts'
import type { Server } from './server.ts'

export interface BackendOptions {
  /** Folder of the models. Default: the demo models. */
  models?: string
  /** Name of the draft's folder among them. Default: `draft`. */
  draft?: string | undefined
  /** Default: a free one. */
  port?: number
  /** Idle contexts are dropped after this time. Default: the backend's. */
  contextIdleSeconds?: number
  /** Token slots of each model. Default: the backend's. */
  slots?: number
  /** Least log-probability of a token of a step that the judge may accept; `off`: any. Default: the backend's. */
  leastLogprob?: number | 'off' | undefined
  /** Further flags of `lookahead serve`. */
  flags?: readonly string[]
  /** V8's flags, without their dashes. Default: none. */
  v8Flags?: readonly string[] | undefined
  /** Stops it while it starts. */
  signal?: AbortSignal | undefined
}

/** Starts the GPU backend on this machine. */
export function startBackend(options: BackendOptions = {}): Promise<Server> {
  const { models, draft, port = 0, contextIdleSeconds, slots, leastLogprob, v8Flags, signal } = options
  const flags = ['--host', '127.0.0.1', '--port', String(port)]
  if (models !== undefined) flags.push('--models', models)
  if (draft !== undefined) flags.push('--draft', draft)
  if (contextIdleSeconds !== undefined) flags.push('--context-idle', String(contextIdleSeconds))
  if (slots !== undefined) flags.push('--slots', String(slots))
  if (leastLogprob !== undefined) flags.push(`--least-logprob=${leastLogprob}`)
  flags.push(...(options.flags ?? []))
  return startServer({
    name: 'backend',
    script: 'gpu-backend/src/cli.ts',
    args: ['serve', ...flags],
    v8Flags,
    signal,
  })
}
