/**
 * What the target itself thinks of a drafted step. The forward over the drafted tokens gives the probability of each of
 * them in its place, so a step that the target would not say is known before anybody compares meanings. A judge sees two
 * steps without their text, and cannot know that nobody asked about white shells; the target does.
 */
import type { Reduction, Scores, TopScores } from '../../model/index.ts'
import { ROUNDING, UNDERFLOW } from '../sampling/distribution.ts'

/**
 * The least log-probability (natural, temperature 1, no truncation) that a token of an acceptable step may have. Chosen on
 * 392 steps that the demo judge accepted in 200 problems: of 313 right ones the least likely token is at -2.4 (1 %) and
 * -3.9 (least), of 79 wrong ones at -7 (median); -4 refuses none and 70 of them. What it lets through, the target itself
 * says now and then. `npm run bench:gate` shows the distributions. Models with freer words need a smaller one.
 */
export const LEAST_LOGPROB = -4

/** How many of the first `tokens` have a log-probability of `least` or more, up to one that has not. @param scores before token `i` */
export function likelyTokens(tokens: readonly number[], scores: (i: number) => Scores, least: number): number {
  const unlikely = tokens.findIndex((token, i) => !isLikely(scores(i), token, least))
  return unlikely < 0 ? tokens.length : unlikely
}

/**
 * Whether `token` has a log-probability of `least` or more: of the whole vocabulary, at temperature 1.
 * @param scores whole logits, or likeliest tokens of which `tellsLikely` holds
 */
export function isLikely(scores: Scores, token: number, least: number): boolean {
  if (scores instanceof Float32Array) return logprob(scores, token) >= least
  const place = scores.tokens.indexOf(token)
  return place >= 0 && scores.logits[place]! - greatest(scores) - Math.log(massOf(scores)) >= least
}

/**
 * Whether the likeliest tokens tell of every token of the vocabulary if its log-probability is `least` or more.
 * @param temperature that `top.weight` is taken at; above 0
 */
export function tellsLikely(top: TopScores, temperature: number, least: number): boolean {
  const mass = massOf(top)
  const limits = [mass, mass + mostBeyond(top, temperature)].map((total) => least + greatest(top) + Math.log(total))
  const [lower, upper] = limits as [number, number]
  // Whatever lies beyond the last is at most as likely as it.
  const beyondIsUnlikely = top.logits.length === top.vocabulary || top.logits.at(-1)! < lower
  return beyondIsUnlikely && top.logits.every((logit) => logit < lower || logit >= upper)
}

/** When the likeliest tokens will do for this, and for what `reduced` is for. */
export function tellingLikely(reduced: Reduction | undefined, least: number): Reduction | undefined {
  if (!reduced) return undefined
  const { temperature, suffices } = reduced
  return { temperature, suffices: (top) => suffices(top) && tellsLikely(top, temperature, least) }
}

const greatest = (top: TopScores): number => top.logits[0]!

/** Σ exp(logit − greatest) of the likeliest tokens: what all tokens weigh at least. */
const massOf = (top: TopScores): number => top.logits.reduce((sum, logit) => sum + Math.exp(logit - top.logits[0]!), 0)

/**
 * What the other tokens can weigh at temperature 1 at most. Their weights at another temperature are known by their sum
 * alone, which at temperature 1 comes to most when they are all equal (below 1), or few and as likely as the last (above).
 */
function mostBeyond(top: TopScores, temperature: number): number {
  const count = top.vocabulary - top.logits.length
  if (count === 0) return 0
  const last = top.logits.at(-1)! - greatest(top)
  let beyond = top.weight * (1 + ROUNDING)
  for (const logit of top.logits) beyond -= Math.exp((logit - greatest(top)) / temperature)
  beyond = Math.max(beyond, top.weight * ROUNDING)
  const each = temperature <= 1 ? beyond / count : Math.exp(last / temperature)
  return Math.min(beyond * each ** (temperature - 1), count * Math.exp(last))
}

function logprob(logits: Float32Array, token: number): number {
  let best = -Infinity
  // By index: a vocabulary is long, and an iterator takes several times as long.
  for (let i = 0; i < logits.length; i++) if (logits[i]! > best) best = logits[i]!
  let mass = 0
  for (let i = 0; i < logits.length; i++) if (logits[i]! > best - UNDERFLOW) mass += Math.exp(logits[i]! - best)
  return logits[token]! - best - Math.log(mass)
}
