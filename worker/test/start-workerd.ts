import { fileURLToPath } from 'node:url'
import { unstable_startWorker } from 'wrangler'

Object.assign(process.env, {
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
})

export interface Config {
  /** Folder for what Durable Objects store. Default: nothing outlives the worker. */
  persist?: string
  /** Wrangler configuration. Default: the project's. */
  config?: string
}

/** The built worker in real workerd. */
export function startWorkerd(
  vars: Record<string, string>,
  { persist, config = fileURLToPath(new URL('../../wrangler.toml', import.meta.url)) }: Config = {},
): ReturnType<typeof unstable_startWorker> {
  return unstable_startWorker({
    config,
    bindings: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, { type: 'plain_text', value }])),
    dev: { logLevel: 'error', watch: false, inspector: false, persist: persist ?? false, server: { port: 0 } },
  })
}
