import type { GenerationConfig } from '../../checkpoint/index.ts'
import type { Reduction, Scores, TopScores } from '../../model/index.ts'

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

/** The same as a request has it, which may leave out any. */
export type Sampling = { [name in keyof SamplingParameters]?: SamplingParameters[name] | undefined }

/** Hotter, one token could not be told from a likelier one in double precision. */
const HOTTEST = 1e6

/**
 * What the request leaves out comes from the model's generation_config.json, then is neutral.
 * @param seed where the request has none
 */
export function samplingParameters(request: Sampling, generation: GenerationConfig, seed: number): SamplingParameters {
  return {
    temperature: Math.min(request.temperature ?? generation.temperature ?? 1, HOTTEST),
    topK: request.topK ?? generation.topK ?? 0,
    topP: request.topP ?? generation.topP ?? 1,
    minP: request.minP ?? generation.minP ?? 0,
    seed: request.seed ?? seed,
  }
}

/** The tokens that can be drawn and their probabilities (sum 1), likeliest first. Greedy is the one-point case. */
export interface Distribution {
  readonly tokens: readonly number[]
  readonly probabilities: readonly number[]
}

/** A token that is e^30 times less likely than the best adds nothing that single precision could show. */
export const UNDERFLOW = 30

/** By this part a device's sum of weights may be off; the graph's test asks for half of it. */
export const ROUNDING = 1e-6

/** Less than the weight of the likeliest. */
const LESS_THAN_ALL = 1 - Number.EPSILON

/** Tokens that may be drawn, likeliest first, and how likely they are against each other. */
interface Candidates {
  tokens: number[]
  /** The first one's is 1. */
  weights: number[]
  /** Of the whole vocabulary. */
  total: number
}

/**
 * The distribution that `parameters` make of one token's scores. Ties go to the lower token id.
 * @throws RangeError when no score is a finite number: of this text alone, others in the same forward go on
 */
export function distribution(scores: Scores, parameters: SamplingParameters): Distribution {
  const { temperature, topK, topP, minP } = parameters
  if (temperature === 0) return { tokens: [greedy(scores)], probabilities: [1] }
  let { tokens, weights, total } =
    scores instanceof Float32Array ? candidates(scores, parameters) : topCandidates(scores, temperature)
  if (tokens.length === 0) throw undrawable()
  if (topK > 0) {
    weights = weights.slice(0, topK)
    total = totalOf(weights)
  }
  weights = weights.slice(0, nucleus(weights, topP * total, minP))
  tokens = tokens.slice(0, weights.length)
  const kept = totalOf(weights)
  return { tokens, probabilities: weights.map((weight) => weight / kept) }
}

function greedy(scores: Scores): number {
  const token = likeliest(scores)
  if (!Number.isFinite(scores instanceof Float32Array ? scores[token] : scores.logits[0])) throw undrawable()
  return token
}

const undrawable = (): RangeError => new RangeError('no token can be drawn: the logits are not finite numbers')

/** When `distribution` can do with the likeliest tokens in place of whole rows; undefined when it never can. */
export function reduction(parameters: SamplingParameters): Reduction | undefined {
  const { temperature, topK, topP, minP } = parameters
  if (temperature > 0 && topK === 0 && topP >= 1 && minP === 0) return undefined
  return { temperature: temperature || 1, suffices: (top) => isSettled(top, parameters) }
}

/** Whether the distribution is the same whatever the tokens beyond the likeliest are. */
function isSettled(top: TopScores, { temperature, topK, topP, minP }: SamplingParameters): boolean {
  if (isComplete(top, temperature)) return true
  // Others may be as likely as the last: only the tokens before its equals are certain to be the likeliest.
  const certain = top.logits.indexOf(top.logits.at(-1)!)
  if (temperature === 0) return certain > 0
  if (topK > 0) return topK <= certain
  const { weights, total } = topCandidates(top, temperature)
  const [least, most] = [1 - ROUNDING, 1 + ROUNDING].map((factor) => nucleus(weights, factor * topP * total, minP))
  return least === most && most! < certain
}

/** Whether no others can be drawn. */
function isComplete({ logits, vocabulary }: TopScores, temperature: number): boolean {
  return logits.length === vocabulary || (temperature > 0 && logits.at(-1)! <= floor(logits[0]!, temperature))
}

/** Below the greatest logit even at temperatures that are as good as 0. */
const floor = (greatest: number, temperature: number): number =>
  greatest - Math.max(UNDERFLOW * temperature, Number.EPSILON * Math.max(1, Math.abs(greatest)))

function topCandidates(top: TopScores, temperature: number): Candidates {
  const greatest = top.logits[0]!
  const least = floor(greatest, temperature)
  const tokens: number[] = []
  const weights: number[] = []
  for (let i = 0; i < top.logits.length && top.logits[i]! > least; i++) {
    tokens.push(top.tokens[i]!)
    weights.push(Math.exp((top.logits[i]! - greatest) / temperature))
  }
  return { tokens, weights, total: isComplete(top, temperature) ? totalOf(weights) : top.weight }
}

/** One weight a token, used again by every call: drawing a token must not cost an array of the vocabulary's size. */
let weightOf = new Float64Array(0)

/** As many tokens as `topK` and `topP` can need. */
function candidates(logits: Float32Array, { temperature, topK, topP }: SamplingParameters): Candidates {
  if (weightOf.length < logits.length) weightOf = new Float64Array(logits.length)
  const greatest = logits[argmax(logits)]!
  const least = floor(greatest, temperature)
  let total = 0
  for (let i = 0; i < logits.length; i++)
    total += weightOf[i] = logits[i]! > least ? Math.exp((logits[i]! - greatest) / temperature) : 0
  const order = (a: number, b: number): number => weightOf[b]! - weightOf[a]! || a - b
  // Tokens below this together weigh less than what top-p leaves out, so they need not be sorted.
  let negligible = topK > 0 ? 0 : Math.min((total * (1 - topP)) / logits.length, LESS_THAN_ALL)
  const most = topK > 0 ? 2 * topK + 64 : Infinity
  let tokens: number[] = []
  for (let i = 0; i < logits.length; i++) {
    if (weightOf[i]! <= negligible) continue
    if (tokens.push(i) < most) continue
    tokens = tokens.toSorted(order).slice(0, topK)
    negligible = weightOf[tokens[topK - 1]!]!
  }
  tokens.sort(order)
  return { tokens, weights: tokens.map((token) => weightOf[token]!), total }
}

/** How many of the first tokens together reach `mass`, of those at least `minP` times as likely as the first. 1 or more */
function nucleus(weights: readonly number[], mass: number, minP: number): number {
  let reached = 0
  let count = 0
  while (count < weights.length && reached < mass && (count === 0 || weights[count]! >= minP))
    reached += weights[count++]!
  return Math.max(count, 1)
}

function totalOf(weights: readonly number[]): number {
  return weights.reduce((total, weight) => total + weight, 0)
}

/** The likeliest token. */
export function likeliest(scores: Scores): number {
  return scores instanceof Float32Array ? argmax(scores) : scores.tokens[0]!
}

function argmax(logits: Float32Array): number {
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
