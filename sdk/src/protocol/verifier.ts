import * as v from 'valibot'

/** Verifiers that every backend has. */
export const verifiers = ['judge', 'judge-only', 'exact', 'likelihood', 'score', 'random'] as const

/** Of runs that name none, wherever the engine can. */
export const DEFAULT_VERIFIER = 'likelihood'

/**
 * A verifier's name: `judge` (a model compares meanings), `judge-only` (the same without rules about numbers and
 * names), `exact` (token for token), `likelihood` (what the target finds likely), `score` (the target rates the drafted step), `random` (a coin, for ablations), or another that the backend knows;
 * one it does not know is refused with those it does.
 */
export type Verifier = (typeof verifiers)[number] | (string & {})
export const Verifier = v.custom<Verifier>(isName, 'must be the name of a verifier')

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= 64
}
