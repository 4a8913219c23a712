import { describe, expect, test } from 'vitest'
import { AdaptiveController } from './adaptive-controller.ts'
import { fixedController } from './controller.ts'

describe('tokens guessed', () => {
  const own = { drafted: true, ngram: 8, draft: 16 }

  test.each([
    ['ar', { drafted: false, ngram: 0, draft: 0 }],
    ['sd', { ...own, drafted: false }],
    ['lr', { drafted: false, ngram: 0, draft: 0 }],
    ['lr+sd', own],
    ['auto', own],
  ] as const)('%s has its own number, and takes others where it guesses any', (mode, tokens) => {
    for (const controller of [
      fixedController,
      (some: Parameters<typeof fixedController>[0]) => new AdaptiveController(some),
    ]) {
      const guesses = (wanted: object) => controller({ mode, depth: 2, tokens: wanted }).next().tokens
      expect(guesses({})).toEqual(tokens)
      expect(controller({ mode, depth: 2 }).next().tokens).toEqual(tokens)
      const isSilent = mode === 'ar' || mode === 'lr'
      expect(guesses({ ngram: 3, draft: 0 })).toEqual(isSilent ? tokens : { ...tokens, ngram: 3, draft: 0 })
      expect(guesses({ drafted: false })).toEqual({ ...tokens, drafted: false })
    }
  })
})
