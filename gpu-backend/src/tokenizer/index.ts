export type { ChatMessage, RenderOptions } from './chat-template.ts'
export { StreamingDecoder, type DecodeOptions } from './streaming.ts'
export { Tokenizer, lookupToken } from './tokenizer.ts'
