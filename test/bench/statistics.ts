/** The value below which the fraction `q` of the values lies, interpolated; `NaN` for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** The 97.5 % quantile of the normal distribution: for intervals of 95 %. */
const Z = 1.959964

/**
 * Interval that holds a fraction with 95 % confidence, when `right` of `of` independent trials came out right (Wilson 1927).
 * 0 to 1 for no trials.
 */
export function wilson(right: number, of: number): [number, number] {
  if (of === 0) return [0, 1]
  const share = right / of
  const middle = share + Z ** 2 / (2 * of)
  const half = Z * Math.sqrt((share * (1 - share) + Z ** 2 / (4 * of)) / of)
  const [low, high] = [-1, 1].map((side) => (middle + side * half) / (1 + Z ** 2 / of)) as [number, number]
  return [Math.max(0, low), Math.min(1, high)]
}
