import path from 'node:path'
import { fileURLToPath } from 'node:url'
import PQueue from 'p-queue'
import { Piscina } from 'piscina'
import type { EncodeOptions } from './encoder.ts'

/** A text to be encoded on the thread, by the tokenizer of a folder. */
export interface Task {
  folder: string
  text: string
  options: EncodeOptions
}

/** A thread's memory does not shrink: without anything to do for so long it is ended. */
const IDLE_MS = 10_000

const thread = new Piscina<Task, Uint32Array>({
  // Also where all is JavaScript: in the package that is installed.
  filename: fileURLToPath(new URL(`./thread-task${path.extname(import.meta.filename)}`, import.meta.url)),
  minThreads: 0,
  maxThreads: 1,
  idleTimeout: IDLE_MS,
})

/** Piscina's own queue has no order for tasks with a signal, and forgets them when the one under way is aborted. */
const queue = new PQueue({ concurrency: 1 })

/**
 * Encodes beside the event loop, one text at a time, of those that wait the shortest first. An abort takes a text out of
 * the queue, or ends the thread that is at work on it.
 * @throws the signal's reason
 */
export async function encodeOnThread(task: Task, signal?: AbortSignal): Promise<number[]> {
  signal?.throwIfAborted()
  const run = () => thread.run(task, signal ? { signal } : {})
  const ids = await queue.add(run, { priority: -task.text.length, signal })
  return Array.from(ids)
}
