/** A verifier that fails, or takes too long, accepts nothing, and the run goes on. */
import { rejected } from '@lookahead/worker/verifiers'
import type { Pair, Ruling, Verifier } from '@lookahead/worker/verifiers'
import { logLine, stackOf } from '../../log.ts'

const FAILED = rejected('judge_failed')

/** What a verifier rules at once. */
export function ruleOf(verifier: Verifier, pair: Pair): Ruling | undefined {
  try {
    return verifier.rule(pair)
  } catch (error) {
    tell(verifier, error)
    return FAILED
  }
}

/** How many of a drafted step's first tokens it keeps; undefined where it does not rule by them. */
export function keptOf(verifier: Verifier, ...step: Parameters<NonNullable<Verifier['kept']>>): number | undefined {
  try {
    return verifier.kept?.(...step)
  } catch (error) {
    tell(verifier, error)
    return 0
  }
}

/**
 * What a verifier rules when it is asked: one ruling a pair. What it leaves open is rejected.
 * @param limits milliseconds until all are rejected, and what stops asking
 * @throws the signal's reason
 */
export async function rulingsOf(
  verifier: Verifier,
  pairs: readonly Pair[],
  { ms, signal }: { ms: number; signal: AbortSignal },
): Promise<Ruling[]> {
  if (!verifier.ask) return pairs.map(() => rejected('judge'))
  const late = AbortSignal.timeout(ms)
  try {
    const asked = verifier.ask(pairs, AbortSignal.any([signal, late]))
    // Whoever is asked may not heed signals.
    const rulings = await Promise.race([asked, aborted(late)])
    return pairs.map((_, i) => rulings[i] ?? rejected('judge'))
  } catch (error) {
    signal.throwIfAborted()
    tell(verifier, late.aborted ? `no answer in ${ms} ms` : error)
    return pairs.map(() => FAILED)
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

const tell = ({ name }: Verifier, error: unknown): void =>
  logLine({ event: 'verifier.failed', verifier: name, stack: stackOf(error) })
