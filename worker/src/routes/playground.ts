/** The page for people, built from `worker/playground`. It asks nobody but the worker that served it. */
import { Hono } from 'hono'
import page from '../../dist/playground.html'
import policy from '../../dist/playground-policy.txt'
import type { App } from '../settings.ts'

export const playground = new Hono<App>()

playground.get('/', (c) => {
  c.header('content-security-policy', policy)
  c.header('x-content-type-options', 'nosniff')
  c.header('referrer-policy', 'no-referrer')
  c.header('cache-control', 'no-cache')
  // No part of what the policy has hashes of.
  return c.html(c.env.RUNS ? page.replace('id="root"', '$& data-stores-runs') : page)
})
