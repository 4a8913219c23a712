/** Runs the worker in workerd without watching its sources, so that an edit does not cut running streams. */
import { parseArgs } from 'node:util'
import { unstable_startWorker } from 'wrangler'

const { values } = parseArgs({
  options: { config: { type: 'string' }, backend: { type: 'string' }, port: { type: 'string' } },
})

const worker = await unstable_startWorker({
  config: values.config,
  bindings: { BACKEND_URL: { type: 'plain_text', value: values.backend } },
  dev: {
    logLevel: 'error',
    watch: false,
    inspector: false,
    persist: false,
    server: { hostname: '127.0.0.1', port: Number(values.port) },
  },
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void worker.dispose().finally(() => process.exit()))
}

console.log(`worker listening on ${(await worker.url).href}`)
