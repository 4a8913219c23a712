import { rejected } from '../verifier.ts'
import type { Verifier } from '../verifier.ts'

/**
 * Rejects where one of the two was cut, by the step cap or for want of room: half a step means something else. Whether the cap is
 * to count may be said otherwise.
 */
export const halfStep: Verifier = {
  name: 'half_step',
  rule: ({ draft, target: { end }, halfSteps = 'reject' }) => {
    const isCut = end === 'length' || (halfSteps === 'reject' && (draft.end === 'cap' || end === 'cap'))
    return end && isCut ? rejected('half_step') : undefined
  },
}
