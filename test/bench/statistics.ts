/** The value below which the fraction `q` of the values lies, interpolated; `NaN` for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
