/** The word problems of the demo models that no training has seen. */
import { isCorrect, testProblems } from '@lookahead/gpu-backend/dataset'
import { whole } from './dataset.ts'
import type { Dataset } from './dataset.ts'

export const demo: Dataset = {
  name: 'demo',
  maxTokens: 1024,
  problems: (limit) =>
    testProblems(limit).map((problem) => ({
      id: problem.id,
      question: problem.question,
      mark: (text) => whole(isCorrect(problem, text)),
    })),
}
