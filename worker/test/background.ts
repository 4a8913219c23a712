import type { ExecutionContext } from 'hono'

/** A request's context, and what goes on behind its answer. */
export function background(): { context: ExecutionContext; work: Promise<unknown>[] } {
  const work: Promise<unknown>[] = []
  const waitUntil = (one: Promise<unknown>) => void work.push(one)
  return { context: { waitUntil, passThroughOnException: () => undefined, props: {} }, work }
}
