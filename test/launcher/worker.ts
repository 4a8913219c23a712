import { startServer } from './server.ts'
import type { Server } from './server.ts'

export interface WorkerOptions {
  backendURL: string
  /** Default: a free one. */
  port?: number
  /** Further variables and secrets. */
  vars?: Record<string, string>
  /** How long it waits for the backend, in seconds. Default: the worker's. */
  timeoutSeconds?: number | undefined
  /** Wrangler configuration. Default: the project's. */
  config?: string
  /** Stops it while it starts. */
  signal?: AbortSignal | undefined
}

/** Starts the worker in workerd, as it would run at the edge. */
export function startWorker(options: WorkerOptions): Promise<Server> {
  const { backendURL, port = 0, vars = {}, timeoutSeconds, config = 'wrangler.toml', signal } = options
  const timeout = timeoutSeconds === undefined ? {} : { BACKEND_TIMEOUT_SECONDS: String(timeoutSeconds) }
  const given = Object.entries({ ...timeout, ...vars }).flatMap(([name, value]) => ['--var', `${name}=${value}`])
  return startServer({
    name: 'worker',
    script: 'test/launcher/worker-main.ts',
    args: ['--config', config, '--backend', backendURL, '--port', String(port), ...given],
    env: {
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_SEND_ERROR_REPORTS: 'false',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_WRITE_LOGS: 'false',
    },
    signal,
  })
}
