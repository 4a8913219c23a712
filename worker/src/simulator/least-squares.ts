interface Observation {
  x: readonly [number, number]
  y: number
}

/** p and q of y ≈ p·x₀ + q·x₁, neither below 0. What the observations do not tell apart counts as p. */
export function plane(observations: readonly Observation[]): [p: number, q: number] {
  const sum = (of: (observation: Observation) => number) =>
    observations.reduce((total, observation) => total + of(observation), 0)
  const [aa, ab, bb] = [sum(({ x }) => x[0] ** 2), sum(({ x }) => x[0] * x[1]), sum(({ x }) => x[1] ** 2)]
  const [ay, by] = [sum(({ x, y }) => x[0] * y), sum(({ x, y }) => x[1] * y)]
  const onlyP: [number, number] = [aa > 0 ? Math.max(0, ay / aa) : 0, 0]
  const onlyQ: [number, number] = [0, bb > 0 ? Math.max(0, by / bb) : 0]
  if (aa === 0) return onlyQ
  const determinant = aa * bb - ab * ab
  if (determinant <= 1e-9 * aa * bb) return onlyP
  const [p, q] = [(ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant]
  if (p < 0) return onlyQ
  return q < 0 ? onlyP : [p, q]
}

/** Sum over sum; 0 where there is nothing to divide by. */
export function ratio(pairs: readonly (readonly [number, number])[]): number {
  const above = pairs.reduce((sum, [a]) => sum + a, 0)
  const below = pairs.reduce((sum, [, b]) => sum + b, 0)
  return below > 0 ? above / below : 0
}
