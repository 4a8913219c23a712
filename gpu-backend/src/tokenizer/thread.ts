import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { EncodeOptions } from './tokenizer.ts'

/** A text to be encoded on the thread, by the tokenizer of a folder. */
export interface Task {
  folder: string
  text: string
  options: EncodeOptions
}

/** A thread's memory does not shrink: without anything to do for so long it is ended. */
const IDLE_MS = 10_000

let thread: Worker | undefined
let isBusy = false
let idle: NodeJS.Timeout | undefined
/** Characters of the texts that wait, by what begins them. */
const waiting = new Map<() => void, number>()

/** Encodes beside the event loop, one text at a time, of those that wait the shortest first. @throws the signal's reason; then a text under way is given up */
export async function encodeOnThread(task: Task, signal?: AbortSignal): Promise<number[]> {
  signal?.throwIfAborted()
  await turn(task.text.length, signal)
  try {
    return await run(task, signal)
  } finally {
    beginNext()
  }
}

/** @throws the signal's reason */
async function turn(characters: number, signal?: AbortSignal): Promise<void> {
  clearTimeout(idle)
  if (!isBusy) {
    isBusy = true
    return
  }
  const { promise, resolve: begin, reject } = Promise.withResolvers<void>()
  waiting.set(begin, characters)
  // One whose turn has come already leaves when it runs.
  const leave = (): void => void (waiting.delete(begin) && reject(signal?.reason))
  signal?.addEventListener('abort', leave)
  await promise.finally(() => signal?.removeEventListener('abort', leave))
}

function beginNext(): void {
  const [shortest] = [...waiting].toSorted(([, a], [, b]) => a - b)
  if (shortest) {
    const [begin] = shortest
    waiting.delete(begin)
    begin()
  } else {
    isBusy = false
    idle = setTimeout(() => void end(), IDLE_MS).unref()
  }
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
    await end()
    signal?.throwIfAborted()
    throw error
  } finally {
    // It keeps no process alive.
    thread?.unref()
  }
}

async function end(): Promise<void> {
  const ended = thread
  thread = undefined
  await ended?.terminate()
}
