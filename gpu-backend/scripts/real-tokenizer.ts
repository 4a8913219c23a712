/** What our tokenizer makes of a folder's; called by real_tokenizer.py with texts and chats on its standard input. */
import { json } from 'node:stream/consumers'
import { Tokenizer } from '../src/tokenizer/index.ts'
import type { ChatMessage, RenderOptions } from '../src/tokenizer/index.ts'

interface Asked {
  texts: string[]
  chats: [messages: ChatMessage[], options: RenderOptions][]
}

const { texts, chats } = (await json(process.stdin)) as Asked
const tokenizer = await Tokenizer.load(process.argv[2]!)
const ids = texts.map((text) => tokenizer.encode(text))
console.log(
  JSON.stringify({
    ids,
    decoded: ids.map((tokens) => tokenizer.decode(tokens, { skipSpecial: false })),
    vocabulary: Array.from({ length: tokenizer.size }, (_, id) => tokenizer.decode([id], { skipSpecial: false })),
    chats: chats.map(([messages, options]) => tokenizer.renderChat(messages, options)),
    endOfText: tokenizer.endOfText ?? null,
  }),
)
