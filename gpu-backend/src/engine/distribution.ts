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

/** One weight a token, used again by every call: drawing a token must not cost an array of the vocabulary's size. */
let weights = new Float64Array(0)

/** The distribution that `parameters` make of one row of logits `[vocabulary]`. Ties go to the lower token id. */
export function distribution(logits: Float32Array, parameters: SamplingParameters): Distribution {
  const best = argmax(logits)
  const { temperature, topK, topP, minP } = parameters
  if (temperature === 0) return { tokens: [best], probabilities: [1] }
  if (weights.length < logits.length) weights = new Float64Array(logits.length)
  const top = logits[best]!
  const floor = top - UNDERFLOW * temperature
  let total = 0
  for (let i = 0; i < logits.length; i++)
    total += weights[i] = logits[i]! > floor ? Math.exp((logits[i]! - top) / temperature) : 0
  // Tokens below this together weigh less than what top-p leaves out, so they need not be sorted.
  const negligible = topK > 0 ? 0 : (total * (1 - topP)) / logits.length
  let tokens: number[] = []
  for (let i = 0; i < logits.length; i++) if (weights[i]! > negligible) tokens.push(i)
  tokens.sort((a, b) => weights[b]! - weights[a]! || a - b)
  if (topK > 0) {
    tokens = tokens.slice(0, topK)
    total = weigh(tokens)
  }
  tokens = nucleus(tokens, topP * total, minP)
  const kept = weigh(tokens)
  return { tokens, probabilities: tokens.map((token) => weights[token]! / kept) }
}

/** The first tokens that together reach `mass`, and of these the ones at least `minP` times as likely as the first. */
function nucleus(tokens: number[], mass: number, minP: number): number[] {
  const least = minP * weights[tokens[0]!]!
  let reached = 0
  let count = 0
  while (count < tokens.length && reached < mass && (count === 0 || weights[tokens[count]!]! >= least))
    reached += weights[tokens[count++]!]!
  return tokens.slice(0, Math.max(count, 1))
}

function weigh(tokens: readonly number[]): number {
  let sum = 0
  for (const token of tokens) sum += weights[token]!
  return sum
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
