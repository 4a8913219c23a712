/** What may change the logits before a token is drawn, and what of them may be shown. */
export interface LogitRules {
  /** Subtracted from tokens the output has. Neutral: 0. */
  presencePenalty: number
  /** Subtracted for each time the output has the token. Neutral: 0. */
  frequencyPenalty: number
  /** Divides positive logits, multiplies negative ones, of tokens that prompt or output have. Neutral: 1. */
  repetitionPenalty: number
  /** Added to the logit of each token named. */
  bias: ReadonlyMap<number, number>
  /** Output tokens before which none of `endTokens` can come. Neutral: 0. */
  minTokens: number
  endTokens: Iterable<number>
}

/** Rules that change nothing. */
export const neutralRules: Omit<LogitRules, 'endTokens'> = {
  presencePenalty: 0,
  frequencyPenalty: 0,
  repetitionPenalty: 1,
  bias: new Map(),
  minTokens: 0,
}

/**
 * Applies the rules in vLLM's order: bias, least length, then the penalties. Speculation stays exact when `output` holds
 * the guesses before the token in question, since those are the output wherever its distribution is asked for.
 */
export class LogitsProcessor {
  readonly #rules: LogitRules
  readonly #prompt: ReadonlySet<number>
  readonly #penalised: boolean
  /** No rule ever changes a logit. */
  readonly neutral: boolean

  constructor(rules: LogitRules, prompt: readonly number[]) {
    const { presencePenalty, frequencyPenalty, repetitionPenalty, bias, minTokens } = rules
    this.#rules = rules
    this.#penalised = presencePenalty !== 0 || frequencyPenalty !== 0 || repetitionPenalty !== 1
    this.neutral = !this.#penalised && bias.size === 0 && minTokens === 0
    this.#prompt = new Set(repetitionPenalty === 1 ? [] : prompt)
  }

  /** @returns the row itself where no rule applies, else a changed copy; both `[vocabulary]` */
  apply(logits: Float32Array, output: readonly number[]): Float32Array {
    const { bias, minTokens, endTokens } = this.#rules
    const tooShort = output.length < minTokens
    if (!this.#penalised && bias.size === 0 && !tooShort) return logits
    const changed = logits.slice()
    for (const [token, value] of bias) changed[token]! += value
    if (tooShort) for (const token of endTokens) changed[token] = -Infinity
    if (this.#penalised) this.#penalise(changed, output)
    return changed
  }

  #penalise(logits: Float32Array, output: readonly number[]): void {
    const { presencePenalty, frequencyPenalty, repetitionPenalty } = this.#rules
    const counts = new Map<number, number>()
    for (const token of output) counts.set(token, (counts.get(token) ?? 0) + 1)
    if (repetitionPenalty !== 1)
      for (const token of new Set([...this.#prompt, ...counts.keys()]))
        logits[token]! *= logits[token]! > 0 ? 1 / repetitionPenalty : repetitionPenalty
    for (const [token, count] of counts) logits[token]! -= presencePenalty + frequencyPenalty * count
  }
}

/** The natural logarithm of a drawn token's probability, and the likeliest tokens in its place. */
export interface TokenLogprob {
  token: number
  logprob: number
  /** 1 for the likeliest token. */
  rank: number
  /** Likeliest first. */
  top: { token: number; logprob: number }[]
}

/** From the model's own logits, before temperature, penalties and truncation, as vLLM reports them. @param most how many of `top` */
export function tokenLogprob(logits: Float32Array, token: number, most: number): TokenLogprob {
  const own = logits[token]!
  let best = -Infinity
  let rank = 1
  // By index: a vocabulary is long, and an iterator takes several times as long.
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!
    if (logit > best) best = logit
    if (logit > own) rank++
  }
  let total = 0
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - best)
  const norm = best + Math.log(total)
  return { token, logprob: own - norm, rank, top: likeliestOf(logits, norm, most) }
}

/** Likeliest first; of equals the lower token id. */
function likeliestOf(logits: Float32Array, norm: number, most: number): TokenLogprob['top'] {
  const top: TokenLogprob['top'] = []
  if (most === 0) return top
  let least = -Infinity
  for (let token = 0; token < logits.length; token++) {
    if (top.length === most && !(logits[token]! > least)) continue
    if (top.length === most) top.pop()
    const logprob = logits[token]! - norm
    top.splice(top.findLastIndex((other) => other.logprob >= logprob) + 1, 0, { token, logprob })
    least = logits[top.at(-1)!.token]!
  }
  return top
}
