export type { ChatMessage, RenderOptions } from './chat-template.ts'
export { noTokenizer, readTokenizer } from './stored.ts'
export { StreamingDecoder, type DecodeOptions } from './streaming.ts'
export { Tokenizer, lookupToken, type EncodeOptions } from './tokenizer.ts'
