/** Problems of several parts, each marked by itself: thoughts of thousands of tokens. */
import { longTestProblems, rightParts } from '@lookahead/gpu-backend/dataset'
import type { Dataset } from './dataset.ts'

export const demoLong: Dataset = {
  name: 'demo-long',
  maxTokens: 4096,
  problems: (limit) =>
    longTestProblems(limit).map((problem) => ({
      id: problem.id,
      question: problem.question,
      mark: (text) => {
        const parts = rightParts(problem, text)
        return { right: parts.filter(Boolean).length, of: parts.length }
      },
    })),
}
