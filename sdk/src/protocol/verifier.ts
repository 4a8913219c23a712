import * as v from 'valibot'

/** Verifiers that every backend has. */
export const verifiers = ['judge', 'exact', 'likelihood'] as const

/**
 * A verifier's name: `judge` (a model compares meanings), `exact` (token for token),
 * `likelihood` (what the target finds likely), or another that the backend knows;
 * one it does not know is refused with those it does.
 */
export type Verifier = (typeof verifiers)[number] | (string & {})
export const Verifier = v.custom<Verifier>(isName, 'must be the name of a verifier')

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= 64
}
