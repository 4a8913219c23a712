export type { ChatMessage, RenderOptions } from './chat-template.ts'
export { StreamingDecoder } from './streaming.ts'
export { Tokenizer, lookupToken } from './tokenizer.ts'
