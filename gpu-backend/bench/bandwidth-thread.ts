/** Reads a buffer of its own, `workerData` bytes long, from end to end whenever a message comes; then answers. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin */
import { parentPort, workerData } from 'node:worker_threads'

const buffer = Buffer.alloc(workerData as number, 1)
parentPort!.on('message', () => {
  // A search for a byte that is not there: memchr, which reads as fast as vector instructions can.
  parentPort!.postMessage(buffer.indexOf(2))
})
parentPort!.postMessage('ready')
