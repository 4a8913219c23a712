/** One layer of speculation: of steps (the paper's α1, c1) or of tokens (α2, c2). */
export interface Layer {
  /** Chance that a guess is accepted, given that those before it were (α), 0 to 1. */
  acceptance: number
  /** Time to draft one guess, in times of the target for one (c), 0 or more. */
  cost: number
}

/** @throws RangeError when a layer cannot be meant, or `k` is no count from 1 up */
export function check({ acceptance, cost }: Layer, k: number): void {
  if (!(acceptance >= 0 && acceptance <= 1)) throw new RangeError(`acceptance must be from 0 to 1, not ${acceptance}`)
  if (!(cost >= 0 && cost < Infinity)) throw new RangeError(`cost must be a number from 0 up, not ${cost}`)
  if (!(Number.isSafeInteger(k) && k >= 1)) throw new RangeError(`give a whole number from 1 up, not ${k}`)
}

/** 1 + a + … + a^(n−1). */
export const geometric = (a: number, n: number): number => (a === 1 ? n : (1 - a ** n) / (1 - a))
