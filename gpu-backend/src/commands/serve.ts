import path from 'node:path'
import { serveOptions } from '../server/flags.ts'
import { serve } from '../server/serve.ts'
import { interruptible } from './interrupt.ts'

/** Serves until SIGINT or SIGTERM. @throws as `serve` does; UsageError; Interrupted if asked to stop while models load */
export async function run(flags: Parameters<typeof serveOptions>[0]): Promise<void> {
  const options = serveOptions(flags)
  const server = await interruptible('starts over', (signal) => serve(options, signal))
  const asked = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
  })
  const { device, models } = server
  for (const { role, parameters, weights, slots } of models)
    console.log(`lookahead: ${role}: ${count(parameters)} parameters in ${weights}, ${count(slots)} slots`)
  if (device.why !== undefined) console.log(`lookahead: forwards run on the CPU, not on CUDA: ${device.why}`)
  else console.log(`lookahead: forwards run on ${device.device === 'cuda' ? 'CUDA' : 'the CPU'}`)
  const has = (role: string): boolean => models.some((model) => model.role === role)
  if (!has('draft')) {
    const folder = path.resolve(options.models, 'draft')
    console.log(`lookahead: no draft, for there is no ${folder}: the target writes alone, without lookahead`)
  }
  if (!has('judge'))
    console.log("lookahead: no judge: the verifier judge accepts only drafted steps equal to the target's own")
  if (options.token === undefined && !isLoopback(options.host))
    console.error(`lookahead: anybody who reaches ${options.host} may use it, for no --token is set`)
  console.log(`lookahead backend listening on ${server.url}`)
  console.log(`lookahead: ${await asked}, finishing what runs`)
  await server.close()
}

const count = (n: number): string => n.toLocaleString('en')

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
