/**
 * Lookahead for the AI SDK 7: a provider of language models for `streamText` and `generateText`. Its peer is
 * `@ai-sdk/provider`, which `ai` brings.
 * @module
 */
export { createLookahead } from './provider.ts'
export type { LookaheadProvider } from './provider.ts'
export type { LookaheadMetadata } from './stream-parts.ts'
export { stepsAsData } from './steps-as-data.ts'
export type { StepData } from './steps-as-data.ts'
