/** Runs the worker in workerd without watching its sources, so that an edit does not cut running streams. */
import { parseArgs } from 'node:util'
import { unstable_DevEnv } from 'wrangler'

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    backend: { type: 'string' },
    port: { type: 'string' },
    timeout: { type: 'string' },
  },
})

const environment = new unstable_DevEnv()
const end = async (code: number) => {
  await environment.teardown().catch(() => undefined)
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(0))

// `startWorker` does not tell what fails after it has read the configuration: a port that is taken, a bundle that cannot be built.
const fail = (error: unknown) => {
  console.error(rootCause(error))
  void end(1)
}
environment.once('error', fail).once('buildFailed', () => void end(1))

try {
  const worker = await environment.startWorker({
    config: values.config,
    bindings: {
      BACKEND_URL: { type: 'plain_text', value: values.backend },
      BACKEND_TIMEOUT_SECONDS: { type: 'plain_text', value: values.timeout ?? '' },
    },
    dev: {
      logLevel: 'error',
      watch: false,
      inspector: false,
      persist: false,
      server: { hostname: '127.0.0.1', port: Number(values.port) },
    },
  })
  console.log(`worker listening on ${(await worker.url).href}`)
  environment.off('error', fail)
} catch (error) {
  fail(error)
}

function rootCause(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return error.cause === undefined ? error.message : rootCause(error.cause)
}
