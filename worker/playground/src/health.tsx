import type { Lookahead } from '@lookahead/sdk'
import { useEffect, useState } from 'preact/hooks'

const words: Record<string, string> = {
  ok: 'ready',
  loading: 'loading its models',
  draining: 'about to stop',
  failing: 'failing',
  unauthorized: 'refuses the worker’s token',
  unreachable: 'cannot be reached',
  not_configured: 'is not set up at the worker',
}

/** How worker and backend are. @param after asked again whenever it changes */
export function Health({ client, after }: { client: Lookahead; after: boolean }) {
  const [backend, setBackend] = useState<string>()
  useEffect(() => {
    const leaving = new AbortController()
    const tell = (state: string) => {
      if (!leaving.signal.aborted) setBackend(state)
    }
    client.health({ signal: leaving.signal }).then(
      (health) => tell(health.backend),
      () => tell('unknown'),
    )
    return () => leaving.abort()
  }, [client, after])
  return (
    <p class="health" role="status" data-state={backend}>
      {backend && (backend === 'unknown' ? 'the worker does not answer' : `backend ${words[backend] ?? backend}`)}
    </p>
  )
}
