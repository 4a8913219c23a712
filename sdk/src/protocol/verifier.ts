import * as v from 'valibot'

export const verifiers = ['judge', 'exact'] as const
export const Verifier = v.picklist(verifiers)
/** `judge`: a model compares meanings; `exact`: token for token. */
export type Verifier = v.InferOutput<typeof Verifier>
