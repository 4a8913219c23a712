/** How long a stored run is kept after its end. */
import { notConfigured } from '../setting-values.ts'
import type { Bindings } from '../settings.ts'

const DEFAULT_SECONDS = 3600
const MAX_SECONDS = 30 * 24 * 3600

/** @throws {ProtocolError} 500 `not_configured` */
export function retentionMsOf({ RUN_RETENTION_SECONDS }: Bindings): number {
  const seconds = RUN_RETENTION_SECONDS ? Number(RUN_RETENTION_SECONDS) : DEFAULT_SECONDS
  if (!(seconds > 0 && seconds <= MAX_SECONDS))
    throw notConfigured('RUN_RETENTION_SECONDS', `to a number from 0 to ${MAX_SECONDS}`)
  return seconds * 1000
}
