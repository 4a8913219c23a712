import type { Reduction } from './scores.ts'

/** One request in a packed forward: n new tokens that attend to t keys. */
export interface Row {
  /** New tokens. [n], n ≥ 1 */
  tokens: readonly number[]
  /** Their positions. [n] */
  positions: readonly number[]
  /** The slot that each new token's key and value go to. [n] */
  writeSlots: readonly number[]
  /** Every slot that some token of this row may see, the new tokens' own included, in any order. [t] */
  keySlots: readonly number[] | Int32Array
  /** Per new token: the half-open ranges of indices into `keySlots` that it attends to. [n] */
  sees: readonly (readonly (readonly [from: number, to: number])[])[]
  /** Indices into `tokens` whose logits are wanted. May be empty. */
  logitRows: readonly number[]
  /** When less than whole rows of logits will do. Default: whole rows. */
  reduced?: Reduction | undefined
}

/** A row of tokens that see each other causally, after `context` slots that all of them see. @param logitRows default: all */
export function causalRow(
  tokens: readonly number[],
  writeSlots: readonly number[],
  context: readonly number[] = [],
  logitRows: readonly number[] = [...tokens.keys()],
): Row {
  const before = context.length
  return {
    tokens,
    positions: tokens.map((_, i) => before + i),
    writeSlots,
    keySlots: [...context, ...writeSlots],
    sees: tokens.map((_, i) => [[0, before + i + 1]]),
    logitRows,
  }
}

/** What a row's numbers must stay below. */
export interface Limits {
  vocabulary: number
  positions: number
  slots: number
}

/** @throws RangeError if a row contradicts itself or a number is out of range */
export function assertRow(row: Row, limits: Limits): void {
  const n = row.tokens.length
  if (n === 0) throw new RangeError('a row needs a token')
  if (row.positions.length !== n || row.writeSlots.length !== n || row.sees.length !== n)
    throw new RangeError(`a row of ${n} tokens needs ${n} positions, write slots and lists of seen keys`)
  assertBelow('token', row.tokens, limits.vocabulary)
  assertBelow('position', row.positions, limits.positions)
  assertBelow('write slot', row.writeSlots, limits.slots)
  assertBelow('key slot', row.keySlots, limits.slots)
  assertBelow('logit row', row.logitRows, n)
  if (row.reduced && !(row.reduced.temperature > 0))
    throw new RangeError(`temperature ${row.reduced.temperature} is not above 0`)
  for (const ranges of row.sees)
    for (const [from, to] of ranges)
      if (!(from >= 0 && from <= to && to <= row.keySlots.length))
        throw new RangeError(`keys ${from} to ${to} of ${row.keySlots.length} cannot be seen`)
}

function assertBelow(what: string, values: ArrayLike<number>, limit: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!(value >= 0 && value < limit && Number.isInteger(value)))
      throw new RangeError(`${what} ${value} is not a whole number from 0 to ${limit - 1}`)
  }
}
