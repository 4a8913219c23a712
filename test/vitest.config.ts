import { defineConfig } from 'vitest/config'
import { patience } from '../vitest.shared.ts'

export default defineConfig({
  test: {
    ...patience,
    include: ['**/*.test.ts'],
    globalSetup: 'e2e/stack.ts',
    // All files share the two servers of the global setup, and the processor with them.
    fileParallelism: false,
    // Of backends: see gpu-backend/test/one-thread.ts.
    env: { LOOKAHEAD_THREADS: '1' },
  },
})
