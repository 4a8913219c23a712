import { NoSuchModelError } from '@ai-sdk/provider'
import type { LanguageModelV4, ProviderV4 } from '@ai-sdk/provider'
import { Lookahead } from '../client.ts'
import type { LookaheadOptions } from '../options.ts'
import { languageModel } from './language-model.ts'
import type { LookaheadSettings } from './settings.ts'

export interface LookaheadProvider extends ProviderV4 {
  /** @param modelId what the model is called in results: a worker has one, `target` by default */
  (modelId?: string, settings?: LookaheadSettings): LanguageModelV4
  languageModel(modelId?: string, settings?: LookaheadSettings): LanguageModelV4
}

/**
 * Models of a Lookahead worker. Failed calls are repeated by the AI SDK, so `maxRetries` is 0 here by default.
 *
 * @example
 * const lookahead = createLookahead({ baseURL: 'http://127.0.0.1:8787' })
 * const { textStream } = streamText({ model: lookahead('target', { mode: 'lr+sd' }), prompt: 'What is 17 times 23?' })
 *
 * @throws {UsageError} `invalid_option`
 */
export function createLookahead(options: LookaheadOptions): LookaheadProvider {
  const client = new Lookahead({ maxRetries: 0, ...options })
  const url = `${String(options.baseURL).replace(/\/+$/, '')}/v1/runs`
  const model = (modelId = 'target', settings: LookaheadSettings = {}) =>
    languageModel({ client, url, modelId, settings })
  const none = (modelType: 'embeddingModel' | 'imageModel') => (modelId: string) => {
    throw new NoSuchModelError({ modelId, modelType })
  }
  return Object.assign(model, {
    specificationVersion: 'v4' as const,
    languageModel: model,
    embeddingModel: none('embeddingModel'),
    imageModel: none('imageModel'),
  })
}
