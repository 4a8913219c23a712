/** The likeliest tokens of one row of logits, and how much the whole vocabulary weighs against the first of them. */
export interface TopScores {
  /** Likeliest first, of equally likely ones the lower id first. [K] */
  readonly tokens: Int32Array
  /** Their logits. [K] Beyond the last there may be tokens with a logit equal to it. */
  readonly logits: Float32Array
  /** Σ exp((logit − greatest) / temperature) over the whole vocabulary. */
  readonly weight: number
  /** Tokens of the whole vocabulary. */
  readonly vocabulary: number
}

/** What a forward gives for one token: its logits `[vocabulary]`, or as much of them as was asked for. */
export type Scores = Float32Array | TopScores

/** Says that the likeliest tokens may stand for whole rows of logits. */
export interface Reduction {
  /** What `weight` is taken at. Above 0. */
  temperature: number
  /** Whether these tokens are enough; where they are not, the whole row is given. */
  suffices: (top: TopScores) => boolean
}

/** The logits `[vocabulary]` of a token whose row did not ask for fewer. @throws TypeError if it did */
export function wholeLogits(scores: Scores | undefined): Float32Array {
  if (scores instanceof Float32Array) return scores
  throw new TypeError('whole logits were not asked for')
}

/** Whole rows one after another: `[R, vocabulary]`. @throws TypeError if a row asked for less */
export function joinedLogits(scores: readonly Scores[]): Float32Array {
  const rows = scores.map(wholeLogits)
  const joined = new Float32Array(rows.reduce((length, row) => length + row.length, 0))
  let end = 0
  for (const row of rows) {
    joined.set(row, end)
    end += row.length
  }
  return joined
}

/** Puts tokens of equal logits into the order of their ids, in place; the logits are in descending order already. */
export function orderTies(logits: Float32Array, tokens: Int32Array): void {
  for (let i = 1; i < logits.length; i++)
    for (let j = i; j > 0 && logits[j] === logits[j - 1] && tokens[j]! < tokens[j - 1]!; j--)
      [tokens[j - 1], tokens[j]] = [tokens[j]!, tokens[j - 1]!]
}
