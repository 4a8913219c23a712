/** The middle of some measurements, and the quartiles around it. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** @throws RangeError if there are no values */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('a spread needs a value')
  return { low: quantile(values, 0.25), median: quantile(values, 0.5), high: quantile(values, 0.75) }
}

/** The value below which the fraction `q` of the values lies, interpolated. */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = q * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return below + (above - below) * (place - Math.floor(place))
}

/** The items, beginning with another one each turn, so that none always comes first. */
export const rotated = <T>(items: readonly T[], turn: number): T[] =>
  items.map((_, place) => items[(place + turn) % items.length]!)
