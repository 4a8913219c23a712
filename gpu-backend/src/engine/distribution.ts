/** How the next token is drawn, in the order Hugging Face applies it: temperature, top-k, top-p, min-p. */
export interface SamplingParameters {
  /** 0 is greedy. */
  temperature: number
  /** 0 keeps all. */
  topK: number
  topP: number
  minP: number
  seed: number
}

/** The tokens that can be drawn and their probabilities (sum 1), likeliest first. Greedy is the one-point case. */
export interface Distribution {
  readonly tokens: readonly number[]
  readonly probabilities: readonly number[]
}

/** A token that is e^30 times less likely than the best adds nothing that single precision could show. */
const UNDERFLOW = 30

/** The distribution that `parameters` make of one row of logits `[vocabulary]`. Ties go to the lower token id. */
export function distribution(logits: Float32Array, parameters: SamplingParameters): Distribution {
  if (parameters.temperature === 0) return { tokens: [argmax(logits)], probabilities: [1] }
  const weights = new Float64Array(logits.length)
  const top = logits[argmax(logits)]!
  const floor = top - UNDERFLOW * parameters.temperature
  let total = 0
  for (let i = 0; i < logits.length; i++)
    if (logits[i]! > floor) total += weights[i] = Math.exp((logits[i]! - top) / parameters.temperature)
  // Tokens below this together weigh less than what top-p leaves out, so they need not be sorted.
  const negligible = parameters.topK > 0 ? 0 : (total * (1 - parameters.topP)) / logits.length
  let tokens: number[] = []
  for (let i = 0; i < weights.length; i++) if (weights[i]! > negligible) tokens.push(i)
  tokens.sort((a, b) => weights[b]! - weights[a]! || a - b)
  if (parameters.topK > 0) tokens = tokens.slice(0, parameters.topK)
  tokens = nucleus(tokens, weights, parameters)
  const kept = tokens.reduce((sum, token) => sum + weights[token]!, 0)
  return { tokens, probabilities: tokens.map((token) => weights[token]! / kept) }
}

/** Top-p, then min-p, on tokens sorted by weight. At least one token stays. */
function nucleus(tokens: number[], weights: Float64Array, { topK, topP, minP }: SamplingParameters): number[] {
  const total = topK > 0 ? tokens.reduce((sum, token) => sum + weights[token]!, 0) : weights.reduce((a, b) => a + b, 0)
  const floor = minP * weights[tokens[0]!]!
  let reached = 0
  let count = 0
  while (count < tokens.length && reached < topP * total && (count === 0 || weights[tokens[count]!]! >= floor))
    reached += weights[tokens[count++]!]!
  return tokens.slice(0, Math.max(count, 1))
}

export function argmax(logits: Float32Array): number {
  let best = 0
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i
  return best
}

export function probability(p: Distribution, token: number): number {
  const at = p.tokens.indexOf(token)
  return at < 0 ? 0 : p.probabilities[at]!
}

/** Draws a token; `u` is uniform in [0, 1). */
export function sample(p: Distribution, u: number): number {
  let sum = 0
  for (let i = 0; i < p.tokens.length; i++) if (u < (sum += p.probabilities[i]!)) return p.tokens[i]!
  return p.tokens.at(-1)!
}
