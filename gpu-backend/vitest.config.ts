import { defineConfig } from 'vitest/config'

// The tests run the real models, on whatever machine this is.
export default defineConfig({
  test: { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } },
})
