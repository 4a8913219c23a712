import { rejected } from '../verifier.ts'
import type { Verifier } from '../verifier.ts'

/** Rejects where one of the two was cut, by the step cap or for want of room: half a step means something else. */
export const halfStep: Verifier = {
  name: 'half_step',
  rule: ({ draft, target: { end } }) =>
    end && (draft.end === 'cap' || end === 'cap' || end === 'length') ? rejected('half_step') : undefined,
}
