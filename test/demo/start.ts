/** Backend and worker, left running until Ctrl-C: `npm start`. */
import { withStack } from '../launcher/index.ts'

const BACKEND_PORT = 8600
const WORKER_PORT = 8787

await withStack(
  async ({ workerURL, backendURL }) => {
    console.log(`worker   ${workerURL}
backend  ${backendURL}

curl -N ${workerURL}/v1/runs -H 'content-type: application/json' \\
  -d '{"messages": [{"role": "user", "content": "A shop sells 12 pens at 3 dollars each. What do they cost?"}]}'

Ctrl-C stops both.`)
    await new Promise(() => undefined)
  },
  { backendPort: BACKEND_PORT, workerPort: WORKER_PORT },
)
