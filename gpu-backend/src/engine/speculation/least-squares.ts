/** The plane `y = a + b · x₁ + c · x₂` nearest to weighted points, those long past fading: least squares by their sums. */

export type Vector = readonly [number, number, number]

/** `x · xᵀ` by columns and `x · y`, each summed with the points' weights; `x` is 1, x₁, x₂. */
export interface Sums {
  columns: readonly [Vector, Vector, Vector]
  y: Vector
}

const zero: Vector = [0, 0, 0]
export const noPoints: Sums = { columns: [zero, zero, zero], y: zero }

/** One more point; those before it count `memory` times what they did. */
export function withPoint({ columns, y }: Sums, memory: number, x: Vector, value: number, weight: number): Sums {
  const plus = (sum: Vector, times: number): Vector => [
    memory * sum[0] + weight * times * x[0],
    memory * sum[1] + weight * times * x[1],
    memory * sum[2] + weight * times * x[2],
  ]
  const [a, b, c] = columns
  return { columns: [plus(a, x[0]), plus(b, x[1]), plus(c, x[2])], y: plus(y, value) }
}

/**
 * Its coefficients a, b, c, by Cramer's rule; a plane that would fall with x₁ or x₂ is level in that direction.
 * There must be three points that do not lie in one line.
 */
export function plane({ columns: [a, b, c], y }: Sums): Vector {
  const volume = dot(a, cross(b, c))
  const first = Math.max(0, dot(a, cross(y, c)) / volume)
  const second = Math.max(0, dot(a, cross(b, y)) / volume)
  return [(y[0] - first * a[1] - second * a[2]) / a[0], first, second]
}

export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
