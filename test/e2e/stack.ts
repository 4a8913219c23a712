/** One backend with the demo models and one worker in workerd, for all end-to-end tests. */
import type { TestProject } from 'vitest/node'
import { startStack } from '../launcher/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    workerURL: string
    backendURL: string
  }
}

// A client that leaves between two calls on a context leaves it to the backend's clock, which is made to run fast here.
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack({ contextIdleSeconds: 5, flags: ['--threads', '1'] })
  provide('workerURL', stack.workerURL)
  provide('backendURL', stack.backendURL)
  return () => stack.stop()
}
