/** Backend and worker, left running until Ctrl-C; `npm start -- --help` lists the flags. */
import { script, whole } from '@lookahead/gpu-backend/flags'
import { tryPort, withStack } from '../launcher/index.ts'

const name = 'start'
const port = whole(0, 65_535)
const flags = script(name, 'Backend and worker on this machine, with the demo models, until Ctrl-C.')
  .option('--port <port>', 'of the worker; 0 takes a free one', port, 8787)
  .option('--backend-port <port>', 'of the backend; 0 takes a free one', port, 8600)
  .option(
    '--draft <name>',
    'folder of the draft among the demo models: draft (default), or draft-far, which has a style of its own',
  )
  .parse()
  .opts()

for (const [flag, number] of [
  ['--port', flags.port],
  ['--backend-port', flags.backendPort],
] as const) {
  await tryPort(number).catch(({ code }: NodeJS.ErrnoException) => {
    console.error(
      `npm run ${name}: cannot listen on port ${number} (${code}): choose another with ${flag}, or 0 for a free one`,
    )
    process.exit(1)
  })
}

await withStack(
  async ({ workerURL, backendURL }) => {
    console.log(`worker   ${workerURL}
backend  ${backendURL}

curl -N ${workerURL}/v1/runs -H 'content-type: application/json' \\
  -d '{"messages": [{"role": "user", "content": "Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?"}]}'

Ctrl-C stops both.`)
    await new Promise(() => undefined)
  },
  { backendPort: flags.backendPort, workerPort: flags.port, draft: flags.draft },
)
