/** The worker's cycle and the backend's engine in this process: without workerd and, but for a backend that is there already, without HTTP. */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { createApp, Engine } from '@lookahead/gpu-backend'
import { RunStream } from '@lookahead/sdk'
import type { Lookahead, RunRequestInput } from '@lookahead/sdk'
import { parseRequest, RunRequest } from '@lookahead/sdk/protocol'
import { Controllers, cycle } from '@lookahead/worker/lookahead'
import { nativeUpstream } from '@lookahead/worker/native'
import type { BenchOptions } from './options.ts'
import { drafts } from './servers.ts'

/** What a benchmark asks runs of. */
export type Runs = { runs: Pick<Lookahead['runs'], 'stream'> }

type Options = Pick<BenchOptions, 'pair' | 'weights' | 'threads' | 'device' | 'models' | 'backend' | 'forced'>

/** Runs `main` with an engine of this process, or with the backend that the options name. */
export async function withCycle(options: Options, main: (runs: Runs) => Promise<void>): Promise<void> {
  if (options.backend !== undefined) return main(cycles(options.backend, fetch))
  const { models = demoModels, pair, weights, threads, device, forced } = options
  const engine = await Engine.load({ models, draft: drafts[pair], weights, threads, device, forced })
  const app = createApp({ engine: () => engine, draining: () => false })
  try {
    await main(cycles('http://engine', async (input, init) => app.fetch(new Request(input, init))))
  } finally {
    engine.close()
  }
}

const demoModels = path.join(import.meta.dirname, '../../gpu-backend/models')

/** Runs as a worker makes them; what it learns is kept among them. */
function cycles(baseURL: string, send: typeof fetch): Runs {
  const upstream = nativeUpstream({ baseURL, fetch: send })
  const controllers = new Controllers()
  const stream = (input: RunRequestInput): RunStream => {
    const request = parseRequest(RunRequest, input)
    const controller = controllers.for(request)
    return new RunStream(async function* events(signal) {
      yield* cycle(upstream, request, { runId: randomUUID(), signal, controller, log: () => undefined })
    }, undefined)
  }
  return { runs: { stream } }
}
