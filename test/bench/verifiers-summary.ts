import type { EquivalencePair } from '@lookahead/gpu-backend/dataset'

/** What a verifier said of one labelled pair. */
export interface Verdict {
  pair: Pick<EquivalencePair, 'same' | 'category' | 'words'>
  accepted: boolean
  reason: string
}

export interface Confusion {
  /** Of pairs that mean the same. */
  accepted: number
  rejected: number
  /** Of pairs that do not. */
  falselyAccepted: number
  rightlyRejected: number
  /** Of what it accepts, what means the same; `null` where it accepts nothing. */
  precision: number | null
  /** Of what means the same, what it accepts; `null` where nothing does. */
  recall: number | null
}

export function confusion(verdicts: readonly Verdict[]): Confusion {
  const count = (same: boolean, accepted: boolean): number =>
    verdicts.filter((verdict) => verdict.pair.same === same && verdict.accepted === accepted).length
  const [accepted, rejected, falselyAccepted] = [count(true, true), count(true, false), count(false, true)]
  return {
    accepted,
    rejected,
    falselyAccepted,
    rightlyRejected: count(false, false),
    precision: ratio(accepted, accepted + falselyAccepted),
    recall: ratio(accepted, accepted + rejected),
  }
}

/** By category: pairs, and those that were accepted. */
export function byCategory(
  verdicts: readonly Verdict[],
): Map<string, { same: boolean; pairs: number; accepted: number }> {
  const groups = Map.groupBy(verdicts, ({ pair }) => pair.category)
  return new Map(
    [...groups].map(([category, group]) => [
      category,
      {
        same: group[0]!.pair.same,
        pairs: group.length,
        accepted: group.filter(({ accepted }) => accepted).length,
      },
    ]),
  )
}

/** What the target thinks of a step's least likely, and least typical, token, and what its pair says. */
export interface Scored {
  pair: Verdict['pair']
  least: number
  typical: number
}

/** What a threshold accepts, of what means the same and of what does not. */
export interface CurvePoint {
  threshold: number
  same: number
  other: number
}

export const curve = (
  scored: readonly Scored[],
  by: 'least' | 'typical',
  thresholds: readonly number[],
): CurvePoint[] =>
  thresholds.map((threshold) => {
    const rate = (same: boolean): number => {
      const group = scored.filter(({ pair }) => pair.same === same)
      return group.filter((step) => step[by] >= threshold).length / group.length
    }
    return { threshold, same: rate(true), other: rate(false) }
  })

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)
