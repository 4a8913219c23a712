import { LookaheadError } from '@lookahead/sdk'
import { withStack } from '../launcher/index.ts'
import { delayedLink } from './delayed-link.ts'
import type { BenchOptions } from './options.ts'

/** Folders of the demo models' drafts. */
export const drafts = { near: 'draft', far: 'draft-far' }

/** Runs `main` with a worker: the one that there is, or one of its own with a backend as the options want it. */
export async function withWorker(
  { url, pair, weights, rtt }: Pick<BenchOptions, 'url' | 'pair' | 'weights' | 'rtt'>,
  main: (workerURL: string) => Promise<void>,
): Promise<void> {
  if (url !== undefined) return main(url).catch(tell)
  const flags = [
    ...(pair === 'near' ? [] : ['--draft', drafts[pair]]),
    ...(weights === undefined ? [] : ['--weights', weights]),
  ]
  const link = rtt === 0 ? undefined : (backendURL: string) => delayedLink(backendURL, rtt)
  await withStack(({ workerURL }) => main(workerURL), { flags, link })
}

/** As `withStack` does: where it was thrown says nothing. */
function tell(error: unknown): void {
  if (!LookaheadError.isInstance(error)) throw error
  console.error(error.message)
  process.exit(1)
}
