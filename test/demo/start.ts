/** Backend and worker, left running until Ctrl-C: `npm start`. */
import { withStack } from '../launcher/index.ts'

const BACKEND_PORT = 8600
const WORKER_PORT = 8787

await withStack(
  async ({ workerURL, backendURL }) => {
    console.log(`worker   ${workerURL}
backend  ${backendURL}

curl -N ${workerURL}/v1/runs -H 'content-type: application/json' \\
  -d '{"messages": [{"role": "user", "content": "Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?"}]}'

Ctrl-C stops both.`)
    await new Promise(() => undefined)
  },
  { backendPort: BACKEND_PORT, workerPort: WORKER_PORT },
)
