/** Python clients of OpenAI's API against a worker of this machine; `npm run clients:python -- --help`. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { script, some } from '@lookahead/gpu-backend/flags'
import { startWorker, withStack } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import { execute, pythonWith } from '../launcher/python.ts'

const { python: given = process.env.CLIENTS_PYTHON } = script(
  'clients:python',
  'Starts backend and worker, and asks them by the clients `openai` and `llm` of PyPI (test/clients/clients.py). Needs python3 and PyPI, once. Exits with 1 where something does not come out as it should.',
)
  .option(
    '--python <file>',
    'an interpreter that has both (default: CLIENTS_PYTHON, or one made in the cache folder)',
    some,
  )
  .parse()
  .opts()

const python = given ?? (await pythonWith('python-clients', ['openai==3.57.0', 'llm==0.36']))

/** A worker whose backend is gone, once it runs: for what clients do then. */
async function startLonely(): Promise<Server> {
  const backend = createServer((_, response) => response.end('{"status":"ok"}')).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  try {
    const { port } = backend.address() as AddressInfo
    return await startWorker({ backendURL: `http://127.0.0.1:${port}`, timeoutSeconds: 1 })
  } finally {
    backend.close()
    backend.closeAllConnections()
  }
}

await withStack(async ({ workerURL, backendURL }) => {
  const lonely = await startLonely()
  try {
    const clients = path.join(import.meta.dirname, 'clients.py')
    await execute(python, [clients, workerURL, lonely.url], { ...process.env, BACKEND: backendURL })
    console.log('all passed')
  } finally {
    await lonely.stop()
  }
})
