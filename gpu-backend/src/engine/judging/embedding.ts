import { existsSync } from 'node:fs'
import path from 'node:path'
import { embedding } from '@lookahead/worker/verifiers'
import type { Verifier } from '@lookahead/worker/verifiers'
import { assertSentenceEncoder, type SentenceEncoder } from '../../model/index.ts'
import type { EngineOptions } from '../engine.ts'
import { LEAST_LOGPROB } from './likelihood.ts'

/**
 * Where the encoder lies, if there is to be one; looked up before any model is loaded.
 * @throws ModelError if it cannot be loaded
 */
export async function encoderFolder({ models, embedding: asked }: EngineOptions): Promise<string | undefined> {
  const beside = path.join(models, 'embedding')
  const folder = asked ?? (existsSync(beside) ? beside : undefined)
  if (folder !== undefined) await assertSentenceEncoder(folder)
  return folder
}

/** The verifier that asks this encoder; none without one. */
export function embeddingOf(encoder: SentenceEncoder | undefined, options: EngineOptions): Verifier[] {
  if (!encoder) return []
  const { embeddingThreshold: threshold, leastLogprob = LEAST_LOGPROB, rules } = options
  return [embedding({ embed: (texts, signal) => encoder.embed(texts, signal), threshold, leastLogprob, rules })]
}
