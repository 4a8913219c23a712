import { readFlags } from '../server/flags.ts'
import { serve } from '../server/serve.ts'

export { help } from '../server/flags.ts'

type Env = Record<string, string | undefined>

/** Serves until SIGINT or SIGTERM. @throws as `serve` does; UsageError */
export async function run(args: string[], env: Env): Promise<void> {
  const options = readFlags(args, env)
  if (options === 'help') return
  const server = await serve(options)
  const { why } = server.device
  if (why !== undefined) console.log(`lookahead: forwards run on the CPU, not on CUDA: ${why}`)
  console.log(`lookahead backend listening on ${server.url}`)
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, resolve)
  })
  console.log(`lookahead: ${signal}, finishing what runs`)
  await server.close()
}
