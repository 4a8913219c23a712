import { serveOptions } from '../server/flags.ts'
import { serve } from '../server/serve.ts'
import { interruptible } from './interrupt.ts'

/** Serves until SIGINT or SIGTERM. @throws as `serve` does; UsageError; Interrupted if asked to stop while models load */
export async function run(flags: Parameters<typeof serveOptions>[0]): Promise<void> {
  const server = await interruptible('starts over', (signal) => serve(serveOptions(flags), signal))
  const asked = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
  })
  const { device, judge } = server
  if (device.why !== undefined) console.log(`lookahead: forwards run on the CPU, not on CUDA: ${device.why}`)
  if (!judge) console.log("lookahead: no judge: only drafted steps equal to the target's own are accepted")
  console.log(`lookahead backend listening on ${server.url}`)
  console.log(`lookahead: ${await asked}, finishing what runs`)
  await server.close()
}
