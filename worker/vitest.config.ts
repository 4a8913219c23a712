import { defineConfig } from 'vitest/config'

// Starting workerd takes seconds on a busy machine.
export default defineConfig({
  test: { testTimeout: 30_000, hookTimeout: 30_000, expect: { poll: { timeout: 20_000 } } },
})
