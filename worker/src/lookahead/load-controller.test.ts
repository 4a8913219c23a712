import { expect, test } from 'vitest'
import type { Cycle } from './controller.ts'
import { LoadController } from './load-controller.ts'

/** Plays cycles of six steps of which two are accepted. @param share of the engine's forwards, for each drafted step */
function play(controller: LoadController, share: { step: number; load: number }, cycles = 60) {
  const depths: number[] = []
  for (let i = 0; i < cycles; i++) {
    const { depth, steps } = controller.next()
    depths.push(depth)
    const accepted = Math.min(2, depth)
    const common = {
      readsPrompt: false,
      isLast: false,
      accepted,
      acceptedTokens: 30 * accepted,
      draftedTokens: 30 * depth,
    }
    const tokens = depth === 0 ? 30 * (steps as number) : 30 * (accepted + 1)
    // By the clock a cycle takes the same, whatever is drafted; alone, the target takes as long as its share.
    const cycle: Cycle =
      depth === 0
        ? { ...common, drafted: 0, tokens, ms: tokens, share: { ms: tokens, load: share.load } }
        : { ...common, drafted: depth, tokens, ms: 40, share: { ms: 30 + share.step * depth, load: share.load } }
    controller.observe(cycle)
  }
  return depths
}

test('beside others it counts what a text takes from them; alone only time', () => {
  const dear = { step: 100 }
  expect(play(new LoadController({ mode: 'auto', depth: 8 }), { ...dear, load: 1 }).at(-1)).toBeGreaterThan(1)
  const shared = play(new LoadController({ mode: 'auto', depth: 8 }), { ...dear, load: 4 })
  expect(shared.slice(-8).filter((depth) => depth > 0).length).toBeLessThanOrEqual(4)
  expect(shared.at(-1)! <= 1).toBe(true)
})

test('what was learnt beside others is not forgotten alone, nor the other way round', () => {
  const controller = new LoadController({ mode: 'auto', depth: 8 })
  const before = play(controller, { step: 100, load: 1 }).at(-1)
  play(controller, { step: 100, load: 4 })
  expect(play(controller, { step: 100, load: 1 }, 2).at(-1)).toBe(before)
})
