import { existsSync } from 'node:fs'
import path from 'node:path'
import { embedding } from '@lookahead/worker/verifiers'
import type { ContentRule, Verifier } from '@lookahead/worker/verifiers'
import { assertSentenceEncoder, type SentenceEncoder } from '../../model/index.ts'
import { LEAST_LOGPROB } from './likelihood.ts'

export interface EmbeddingOptions {
  /** The cosine of two steps from which on `embedding` accepts. Default 0.85. */
  embeddingThreshold?: number | undefined
  /** A drafted step with a token of a smaller log-probability is not accepted for its meaning. Default -4; -Infinity: none is refused. */
  leastLogprob?: number | undefined
  /** What the verifiers `judge` and `embedding` reject without asking: other numbers, other names. Default: both. */
  rules?: readonly ContentRule[] | undefined
}

/**
 * Where the encoder lies, if there is to be one; looked up before any model is loaded.
 * @throws ModelError if it cannot be loaded
 */
export async function encoderFolder(models: string, named: string | undefined): Promise<string | undefined> {
  const beside = path.join(models, 'embedding')
  const folder = named ?? (existsSync(beside) ? beside : undefined)
  if (folder !== undefined) await assertSentenceEncoder(folder)
  return folder
}

/** The verifier that asks this encoder; none without one. */
export function embeddingOf(encoder: SentenceEncoder | undefined, options: EmbeddingOptions): Verifier[] {
  if (!encoder) return []
  const { embeddingThreshold: threshold, leastLogprob = LEAST_LOGPROB, rules } = options
  return [embedding({ embed: (texts, signal) => encoder.embed(texts, signal), threshold, leastLogprob, rules })]
}
