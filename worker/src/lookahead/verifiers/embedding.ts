import { chain } from './chain.ts'
import { contentRuleNames, contentRules, plain, unlikely } from './rules/index.ts'
import type { ContentRule } from './rules/index.ts'
import { accepted, rejected } from './verifier.ts'
import type { Verifier } from './verifier.ts'

/** Asks an encoder of sentences. @returns for each text a vector of length 1, all of one size; @throws the signal's reason, among others */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>

export interface EmbeddingOptions {
  embed: Embed
  /** The cosine of two steps, -1 to 1, from which on they count as one. Default 0.85. */
  threshold?: number | undefined
  /** See `Verifier.leastLogprob`: no step that the target finds unlikely is accepted. Default: any may be. */
  leastLogprob?: number | undefined
  /** What is rejected without asking. Default: all of them; the paper has none. */
  rules?: readonly ContentRule[] | undefined
}

/** The laxer of the paper's two; the other is 0.95. */
export const EMBEDDING_THRESHOLD = 0.85

/**
 * The same meaning, as far as an encoder of sentences can tell (arXiv 2506.19830, §4.3): steps are accepted whose embeddings
 * have a cosine of `threshold` or more.
 *
 * It costs one forward of the encoder over both texts of every open pair: all-mpnet-base-v2, the paper's, has 110 M parameters.
 * It accepts other words for the same, and also other facts in the same words: who does what to whom, a "not", `+` for `-`
 * hardly move a cosine. Table 2, R1-Distill 32B with drafts of its 1.5B:
 *
 * | accepted, accuracy | none | judge of 7 B | embedding, 0.85 | embedding, 0.95 |
 * | ------------------ | ------ | ------------ | --------------- | --------------- |
 * | GSM8K              | 91.8 % | 0.63, 92.8 % | 0.56, 89.8 %    | 0.37, 92.3 %    |
 * | AIME 2024          | 70.8 % | 0.47, 69.2 % | 0.45, 64.0 %    | 0.38, 66.7 %    |
 */
export function embedding(options: EmbeddingOptions): Verifier {
  const { embed, threshold = EMBEDDING_THRESHOLD, leastLogprob, rules = contentRuleNames } = options
  const known = [...plain, ...rules.map((rule) => contentRules[rule])]
  const gate = leastLogprob === undefined ? [] : [unlikely(leastLogprob)]
  const whole = chain('embedding', ...known, ...gate, alike(embed, threshold))
  return { ...whole, withThreshold: (other) => embedding({ ...options, threshold: other }) }
}

const alike = (embed: Embed, threshold: number): Verifier => ({
  name: 'embedding',
  rule: () => undefined,
  ask: async (pairs, signal) => {
    const texts = pairs.flatMap(({ draft, target }) => [draft.text, target.text])
    const embeddings = await embed(texts, signal)
    return pairs.map((_, i) =>
      cosine(embeddings[2 * i]!, embeddings[2 * i + 1]!) >= threshold ? accepted('embedding') : rejected('embedding'),
    )
  },
})

/** Of vectors of length 1. */
const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
