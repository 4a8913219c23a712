/** What runs on the thread: texts come in, their token ids go out. */
import { parentPort } from 'node:worker_threads'
import type { Task } from './thread.ts'
import { Tokenizer } from './tokenizer.ts'

/** By folder. */
const tokenizers = new Map<string, Promise<Tokenizer>>()

async function encode({ folder, text, options }: Task): Promise<void> {
  const tokenizer = tokenizers.get(folder) ?? Tokenizer.load(folder)
  tokenizers.set(folder, tokenizer)
  const ids = Uint32Array.from((await tokenizer).encode(text, options))
  parentPort!.postMessage(ids, [ids.buffer])
}

// What fails ends the thread, and the other side hears of it.
parentPort!.on('message', (task: Task) => void encode(task))
