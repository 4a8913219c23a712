/** What runs on the thread: a text comes in, its token ids go out. */
import { move } from 'piscina'
import type { Task } from './thread.ts'
import { Tokenizer } from './tokenizer.ts'

/** By folder. */
const tokenizers = new Map<string, Tokenizer>()

export default async function encode({ folder, text, options }: Task): Promise<Uint32Array> {
  const tokenizer = tokenizers.get(folder) ?? (await Tokenizer.load(folder))
  tokenizers.set(folder, tokenizer)
  return move(Uint32Array.from(tokenizer.encode(text, options))) as Uint32Array
}
