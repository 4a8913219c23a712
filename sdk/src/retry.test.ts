import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ApiError, ConnectionError } from './errors.ts'
import { parseRetryAfter, retry } from './protocol/retry.ts'
import { retries } from './retry.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const { signal } = new AbortController()
const unreachable = new ConnectionError('unreachable')

/** Runs attempts that always fail with `failure`, and tells at what times they began. */
async function attempts(failure: Error, maxRetries = 2): Promise<number[]> {
  const start = Date.now()
  const begun: number[] = []
  const attempt = () => {
    begun.push(Date.now() - start)
    return Promise.reject(failure)
  }
  const result = retry(attempt, retries(maxRetries, signal))
  await Promise.all([expect(result).rejects.toBe(failure), vi.runAllTimersAsync()])
  return begun
}

it('waits longer each time, up to 8 seconds', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  expect(await attempts(unreachable)).toEqual([0, 500, 1500])
  expect((await attempts(unreachable, 7)).at(-1)).toBe(500 + 1000 + 2000 + 4000 + 8000 * 3)
})

it('takes up to a quarter off, at random, so that clients do not come back together', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1)
  expect(await attempts(unreachable, 1)).toEqual([0, 375])
})

it('waits as long as Retry-After asks', async () => {
  expect(await attempts(new ApiError(429, 'busy', 'busy', { retryAfterMs: 7000 }), 1)).toEqual([0, 7000])
})

it('does not wait when Retry-After asks too much', async () => {
  expect(await attempts(new ApiError(429, 'busy', 'busy', { retryAfterMs: 86_400_000 }))).toEqual([0])
})

it.each([
  [400, 1],
  [401, 1],
  [404, 1],
  [422, 1],
  [408, 3],
  [409, 3],
  [429, 3],
  [500, 3],
  [529, 3],
])('answers %i with %i attempts', async (status, times) => {
  expect(await attempts(new ApiError(status, 'code', 'message'))).toHaveLength(times)
})

it('repeats nothing for an error that is not its own', async () => {
  expect(await attempts(new RangeError('a bug'))).toEqual([0])
})

it('reads Retry-After in seconds and as a date', () => {
  expect(parseRetryAfter('1.5')).toBe(1500)
  expect(parseRetryAfter(null)).toBeUndefined()
  expect(parseRetryAfter('soon')).toBeUndefined()
  expect(parseRetryAfter(new Date(0).toUTCString())).toBe(0)
  vi.setSystemTime(0)
  expect(parseRetryAfter(new Date(3000).toUTCString())).toBe(3000)
})
