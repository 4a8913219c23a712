import { startServer } from './server.ts'
import type { Server } from './server.ts'
import type { WorkerOptions } from './worker.ts'

export interface BuiltWorkerOptions extends Omit<WorkerOptions, 'config'> {
  /** V8's flags for workerd, without their dashes: `gc-global`. Default: none. */
  v8Flags?: readonly string[]
}

/** Starts what is deployed: the built worker in workerd alone, without wrangler's development server around it. */
export function startBuiltWorker(options: BuiltWorkerOptions): Promise<Server> {
  const { backendURL, port = 0, vars = {}, timeoutSeconds, v8Flags = [], signal } = options
  const timeout = timeoutSeconds === undefined ? {} : { BACKEND_TIMEOUT_SECONDS: String(timeoutSeconds) }
  const given = Object.entries({ BACKEND_URL: backendURL, ...timeout, ...vars })
  return startServer({
    name: 'built worker',
    script: 'test/launcher/built-worker-main.ts',
    args: [
      '--port',
      String(port),
      ...given.flatMap(([name, value]) => ['--var', `${name}=${value}`]),
      ...v8Flags.flatMap((flag) => ['--v8', flag]),
    ],
    env: { WRANGLER_SEND_METRICS: 'false', WRANGLER_WRITE_LOGS: 'false' },
    signal,
  })
}
