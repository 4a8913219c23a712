/** What a cycle commits on average (paper §3.2; Leviathan et al., arXiv 2211.17192, equation 1). */
import { check, geometric } from './layer.ts'

/**
 * Steps (or tokens) that a cycle commits when `drafted` are guessed: those accepted, and one of the target's own, in place
 * of the first refused or after the last: 1 + α + … + α^drafted.
 */
export function expectedWithBonus(acceptance: number, drafted: number): number {
  check({ acceptance, cost: 0 }, drafted + 1)
  return geometric(acceptance, drafted + 1)
}

/** The same where the target adds nothing after a cycle whose drafts were all accepted: 1 + α + … + α^(drafted−1). */
export function expectedWithoutBonus(acceptance: number, drafted: number): number {
  check({ acceptance, cost: 0 }, drafted + 1)
  return geometric(acceptance, drafted)
}
