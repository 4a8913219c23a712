import { terms } from '@lookahead/gpu-backend/dataset'
import type { Measurement } from '../measure.ts'
import { sum } from './statistics.ts'

/** What one run said that it could not know. */
export interface Trial extends Measurement {
  correct: boolean
  /** Terms that neither the question nor a right solution has. */
  underived: string[]
  /** Those of them that no other run of plain decoding has either: what plain decoding itself gets wrong is not counted. */
  strange: string[]
  /** Strange words that stand in drafted steps which were accepted for their meaning or their likelihood. */
  judged: string[]
}

export interface ModeSummary {
  runs: number
  /** Fraction of the runs. */
  accuracy: number
  /** Runs with underived terms. */
  underived: number
  /** Runs with strange terms; of these, those with a strange word, the others having strange numbers only. */
  strange: number
  words: number
  /** Runs with a strange word in such a step. */
  judged: number
  /** Accepted drafted steps over drafted steps; `null` in modes without steps. */
  acceptRate: number | null
}

/** Terms of a text that are not among those known. */
export const unknown = (text: string, known: ReadonlySet<string>): string[] =>
  [...new Set(terms(text))].filter((term) => !known.has(term))

export const isWord = (term: string): boolean => !/^\d/.test(term)

export function summarize(trials: readonly Trial[]): ModeSummary {
  const drafted = sum(trials.map(({ result }) => result.stats.drafted_steps))
  const count = (holds: (trial: Trial) => boolean): number => trials.filter(holds).length
  return {
    runs: trials.length,
    accuracy: count(({ correct }) => correct) / trials.length,
    underived: count(({ underived }) => underived.length > 0),
    strange: count(({ strange }) => strange.length > 0),
    words: count(({ strange }) => strange.some(isWord)),
    judged: count(({ judged }) => judged.length > 0),
    acceptRate: drafted > 0 ? sum(trials.map(({ result }) => result.stats.accepted_steps)) / drafted : null,
  }
}
