import { describe, expect, test } from 'vitest'
import { AdaptiveController } from './controller.ts'
import type { Plan } from './controller.ts'

const STEP_TOKENS = 30
const TOKEN_MS = 1

interface World {
  /** Chance that a drafted step is accepted. */
  acceptance: number
  /** A cycle's cost in plainly decoded steps. */
  cost: (depth: number) => number
}

/** Plays cycles in a world where every number is what it should be on average. Returns plans and the speedup reached. */
function play(
  controller: AdaptiveController,
  { acceptance, cost }: World,
  cycles: number,
): { plans: Plan[]; speedup: number } {
  const plans: Plan[] = []
  let steps = 0
  let spent = 0
  let owed = 0
  for (let i = 0; i < cycles; i++) {
    const plan = controller.next()
    plans.push(plan)
    if (plan.depth === 0) {
      const alone = plan.steps as number
      steps += alone
      spent += alone
      const tokens = alone * STEP_TOKENS
      controller.observe({ drafted: 0, accepted: 0, steps: alone, tokens, ms: tokens * TOKEN_MS })
      continue
    }
    // Whole steps are accepted; what is left over counts for the next cycle.
    for (let j = 1; j <= plan.depth; j++) owed += acceptance ** j
    const accepted = Math.min(plan.depth, Math.floor(owed))
    owed -= accepted
    steps += accepted + 1
    spent += cost(plan.depth)
    const ms = cost(plan.depth) * STEP_TOKENS * TOKEN_MS
    const tokens = (accepted + 1) * STEP_TOKENS
    controller.observe({ drafted: plan.depth, accepted, steps: accepted + 1, tokens, ms })
  }
  return { plans, speedup: steps / spent }
}

const adaptive = (depth: number) => new AdaptiveController({ mode: 'lr+sd', depth })
const cheap = (depth: number): number => 1.2 + 0.1 * depth
const dear = (depth: number): number => 1.5 + 0.4 * depth

test('the first cycle goes as deep as was asked', () => {
  expect(adaptive(6).next()).toMatchObject({ depth: 6, steps: 1 })
})

describe('depth follows acceptance and cost', () => {
  test('steps that are nearly all accepted and cheap: nearly all the way', () => {
    const { plans } = play(adaptive(8), { acceptance: 0.97, cost: cheap }, 60)
    expect(plans.at(-1)!.depth).toBeGreaterThanOrEqual(7)
  })

  test('half of them accepted: a few', () => {
    const { plans, speedup } = play(adaptive(8), { acceptance: 0.6, cost: cheap }, 60)
    expect(plans.at(-1)!.depth).toBeGreaterThanOrEqual(2)
    expect(plans.at(-1)!.depth).toBeLessThanOrEqual(5)
    expect(speedup).toBeGreaterThan(1.2)
  })

  test('nothing to gain: plain decoding, tried again more and more rarely, costs little', () => {
    const { plans, speedup } = play(adaptive(8), { acceptance: 0.3, cost: dear }, 30)
    const stretches = plans.filter(({ depth }) => depth === 0).map(({ steps }) => steps as number)
    expect(stretches.slice(0, 5)).toEqual([4, 4, 8, 16, 32])
    expect(Math.max(...stretches)).toBe(256)
    expect(speedup).toBeGreaterThan(0.97)
  })

  test('once it has paid again, it is tried again as soon as at first', () => {
    const controller = adaptive(8)
    const [bad, good] = [
      { acceptance: 0.1, cost: dear },
      { acceptance: 0.97, cost: cheap },
    ]
    play(controller, bad, 30)
    play(controller, good, 100)
    const stretches = play(controller, bad, 60).plans.filter(({ depth }) => depth === 0)
    expect(stretches.slice(0, 5).map(({ steps }) => steps)).not.toContain(256)
  })

  test('a draft that becomes good is found again', () => {
    const controller = adaptive(8)
    play(controller, { acceptance: 0.2, cost: dear }, 20)
    expect(play(controller, { acceptance: 0.95, cost: cheap }, 60).plans.at(-1)!.depth).toBeGreaterThanOrEqual(5)
  })
})

test('after the first cycle the target is timed alone once, and again after many', () => {
  const { plans } = play(adaptive(8), { acceptance: 0.97, cost: cheap }, 150)
  const alone = plans.flatMap(({ depth }, i) => (depth === 0 ? [i] : []))
  expect(alone).toEqual([1, 66, 131])
})

test('a cycle whose time says nothing, or that committed nothing, is not learned from', () => {
  const controller = adaptive(5)
  controller.observe({ drafted: 0, accepted: 0, steps: 0, tokens: 0, ms: 1 })
  controller.observe({ drafted: 0, accepted: 0, steps: 3, tokens: 90, ms: undefined })
  expect(controller.next()).toMatchObject({ depth: 5, steps: 1 })
})
