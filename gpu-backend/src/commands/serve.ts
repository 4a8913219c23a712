import { serveOptions } from '../server/flags.ts'
import { serve } from '../server/serve.ts'
import { interruptible } from './interrupt.ts'

/** Serves until SIGINT or SIGTERM. @throws as `serve` does; UsageError; Interrupted if asked to stop while models load */
export async function run(flags: Parameters<typeof serveOptions>[0]): Promise<void> {
  const server = await interruptible('starts over', (signal) => serve(serveOptions(flags), signal))
  const asked = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
  })
  const { why } = server.device
  if (why !== undefined) console.log(`lookahead: forwards run on the CPU, not on CUDA: ${why}`)
  console.log(`lookahead backend listening on ${server.url}`)
  console.log(`lookahead: ${await asked}, finishing what runs`)
  await server.close()
}
