import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { EncodeOptions } from './tokenizer.ts'

/** A text to be encoded on the thread, by the tokenizer of a folder. */
export interface Task {
  folder: string
  text: string
  options: EncodeOptions
}

let thread: Worker | undefined
/** Settled once the thread is free. */
let last: Promise<unknown> = Promise.resolve()

/** Encodes beside the event loop, one text after the other. @throws the signal's reason; then a text under way is given up */
export async function encodeOnThread(task: Task, signal?: AbortSignal): Promise<number[]> {
  const ids = last.then(() => run(task, signal))
  last = ids.catch(() => undefined)
  return signal ? Promise.race([ids, aborted(signal)]) : ids
}

async function run(task: Task, signal?: AbortSignal): Promise<number[]> {
  signal?.throwIfAborted()
  thread ??= new Worker(new URL('./thread-task.ts', import.meta.url))
  thread.ref()
  try {
    thread.postMessage(task)
    const [ids] = (await once(thread, 'message', { signal })) as [Uint32Array]
    return Array.from(ids)
  } catch (error) {
    const ended = thread
    thread = undefined
    await ended.terminate()
    throw error
  } finally {
    // It keeps no process alive.
    thread?.unref()
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted()
  await once(signal, 'abort')
  throw signal.reason
}
