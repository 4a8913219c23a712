import { describe, expect, test } from 'vitest'
import { AdaptiveController } from './adaptive-controller.ts'
import type { Cycle, Plan } from './controller.ts'

const STEP_TOKENS = 30

interface World {
  /** Chance that a drafted step is accepted. */
  acceptance: number
  /** Milliseconds of a cycle; the target alone takes 1 a token. */
  cost: (depth: number) => number
}

const cycleOf = (cycle: Partial<Cycle>): Cycle => ({
  drafted: 0,
  draftedTokens: STEP_TOKENS * (cycle.drafted ?? 0),
  accepted: 0,
  acceptedTokens: STEP_TOKENS * (cycle.accepted ?? 0),
  tokens: 0,
  ms: 0,
  readsPrompt: false,
  isLast: false,
  ...cycle,
})

/** Plays cycles in a world where every number is what it should be on average. Returns plans and the speedup reached. */
function play(controller: AdaptiveController, { acceptance, cost }: World, cycles: number) {
  const plans: Plan[] = []
  let [tokens, spent, owed] = [0, 0, 0]
  const tell = (cycle: Partial<Cycle> & { tokens: number; ms: number }) => {
    tokens += cycle.tokens
    spent += cycle.ms
    controller.observe(cycleOf(cycle))
  }
  for (let i = 0; i < cycles; i++) {
    const plan = controller.next()
    plans.push(plan)
    const { depth } = plan
    if (depth === 0) {
      const alone = STEP_TOKENS * (plan.steps as number)
      tell({ tokens: alone, ms: alone })
      continue
    }
    // Whole steps are accepted; what is left over counts for the next cycle.
    for (let j = 1; j <= depth; j++) owed += acceptance ** j
    const accepted = Math.min(depth, Math.floor(owed))
    owed -= accepted
    // In place of a rejected step the target writes its own, and none after those that are all accepted.
    const own = accepted < depth ? 1 : 0
    tell({ drafted: depth, accepted, tokens: STEP_TOKENS * (accepted + own), ms: cost(depth) })
  }
  return { plans, speedup: tokens / spent }
}

const adaptive = (depth: number) => new AdaptiveController({ mode: 'lr+sd', depth })
/** What starts a cycle is dear: it pays to go far. */
const farPays = (depth: number): number => 30 + 4 * depth
/** A drafted step costs nearly what it brings. */
const nearPays = (depth: number): number => 3 + 16 * depth
const dear = (depth: number): number => 15 + 30 * depth

describe('depth follows acceptance and cost', () => {
  test('steps that are nearly all accepted, and cycles that are dear to begin: nearly all the way', () => {
    const { plans } = play(adaptive(8), { acceptance: 0.97, cost: farPays }, 60)
    expect(plans.at(-1)!.depth).toBeGreaterThanOrEqual(7)
  })

  test('the same acceptance, where a cycle is cheap to begin: a few', () => {
    const { plans, speedup } = play(adaptive(8), { acceptance: 0.9, cost: nearPays }, 60)
    expect(plans.at(-1)!.depth).toBeLessThanOrEqual(3)
    expect(speedup).toBeGreaterThan(1.5)
  })

  test('half of them accepted: a few', () => {
    const { plans, speedup } = play(adaptive(8), { acceptance: 0.6, cost: farPays }, 60)
    expect(plans.at(-1)!.depth).toBeGreaterThanOrEqual(2)
    expect(plans.at(-1)!.depth).toBeLessThanOrEqual(5)
    expect(speedup).toBeGreaterThan(1.2)
  })

  test('no deeper than was asked for, however good the draft', () => {
    for (const most of [1, 3, 8])
      expect(
        Math.max(...play(adaptive(most), { acceptance: 1, cost: farPays }, 60).plans.map(({ depth }) => depth)),
      ).toBe(most)
  })

  test('what costs is the tokens of the steps, not how many steps they are', () => {
    const controller = adaptive(8)
    for (let i = 0; i < 40; i++) {
      const [drafted, draftedTokens] = i % 2 === 0 ? [1, 80] : [4, 40]
      const accepted = Math.min(drafted, 2)
      const tokens = (draftedTokens * accepted) / drafted
      controller.observe(
        cycleOf({ drafted, draftedTokens, accepted, acceptedTokens: tokens, tokens, ms: 1 + draftedTokens / 2 }),
      )
    }
    controller.observe(cycleOf({ tokens: 100, ms: 1_000 }))
    controller.next()
    // Short cycles were those of many steps: counted by steps, further would seem cheaper.
    expect(controller.next().depth).toBeLessThanOrEqual(4)
  })

  test('where near and far do about equally well, far: most texts have no rejected step', () => {
    const { plans } = play(adaptive(8), { acceptance: 0.95, cost: (depth) => 1 + 10 * depth }, 60)
    const depths = plans.slice(-15).map(({ depth }) => depth)
    expect(depths.toSorted((a, b) => a - b)[7]).toBe(3)
  })

  test('a rejected step or two does not make it near', () => {
    const depths: number[] = []
    for (const rejected of [0, 1, 2, 12]) {
      const controller = adaptive(8)
      play(controller, { acceptance: 0.97, cost: (depth) => 8 + 8 * depth }, 100)
      for (let i = 0; i < rejected; i++)
        controller.observe(cycleOf({ drafted: 4, accepted: 0, tokens: STEP_TOKENS, ms: 40 }))
      depths.push(controller.next().depth)
    }
    const [usual, ...later] = depths
    expect(later.slice(0, 2)).toEqual([usual, usual])
    expect(later.at(-1)).toBeLessThan(usual! - 1)
  })

  test('nothing to gain: plain decoding, tried again more and more rarely, costs little', () => {
    const { plans, speedup } = play(adaptive(8), { acceptance: 0.3, cost: dear }, 30)
    const stretches = plans.filter(({ depth }) => depth === 0).map(({ steps }) => steps as number)
    expect(stretches.slice(0, 5)).toEqual([4, 20, 40, 80, 160])
    expect(Math.max(...stretches)).toBe(256)
    expect(speedup).toBeGreaterThan(0.97)
  })

  test('once it has paid again, it is tried again as soon as at first', () => {
    const controller = adaptive(8)
    const bad = { acceptance: 0.1, cost: dear }
    play(controller, bad, 30)
    play(controller, { acceptance: 0.97, cost: farPays }, 100)
    const stretches = play(controller, bad, 60).plans.filter(({ depth }) => depth === 0)
    expect(stretches.slice(0, 5).map(({ steps }) => steps)).not.toContain(256)
  })

  test('a draft that becomes good is found again', () => {
    const controller = adaptive(8)
    play(controller, { acceptance: 0.2, cost: dear }, 20)
    expect(play(controller, { acceptance: 0.95, cost: farPays }, 60).plans.at(-1)!.depth).toBeGreaterThanOrEqual(5)
  })

  test('steps after the first rejected one say nothing of the draft', () => {
    const depthAfter = (accepted: number): number => {
      const controller = adaptive(8)
      controller.observe(cycleOf({ tokens: 120, ms: 120 }))
      for (let i = 0; i < 30; i++)
        controller.observe(cycleOf({ drafted: 8, accepted, tokens: STEP_TOKENS * (accepted + 1), ms: 60 }))
      expect(controller.next().depth).toBe(0)
      return controller.next().depth
    }
    // Four of five that were judged were accepted, not four of eight.
    expect(depthAfter(4)).toBeGreaterThanOrEqual(3)
    expect(depthAfter(1)).toBeLessThanOrEqual(2)
  })
})

test('the target is timed alone after the first cycle, and again after ever more', () => {
  const { plans } = play(adaptive(8), { acceptance: 0.97, cost: farPays }, 300)
  expect(plans.flatMap(({ depth }, i) => (depth === 0 ? [i] : []))).toEqual([1, 12, 46, 178])
  expect(plans.filter(({ depth }) => depth === 0).map(({ steps }) => steps)).toEqual([4, 2, 2, 2])
})

test('small cycles bring no more of that than large ones: drafted steps count', () => {
  const rechecks = (depth: number) => {
    const { plans } = play(adaptive(depth), { acceptance: 0.97, cost: farPays }, 1024 / depth)
    return plans.filter((plan) => plan.depth === 0).length
  }
  expect(rechecks(2)).toBeLessThanOrEqual(rechecks(8) + 1)
})

test('now and then another depth is tried, so that what a step costs shows', () => {
  const { plans } = play(adaptive(8), { acceptance: 0.9, cost: nearPays }, 100)
  const last = plans.slice(-40).map(({ depth }) => depth)
  expect(new Set(last).size).toBeGreaterThan(1)
})

test('not where cycles are short and long by themselves, as overlapped ones are', () => {
  const controller = adaptive(8)
  const depths = new Set<number>()
  for (let i = 0; i < 120; i++) {
    const { depth, steps } = controller.next()
    if (i >= 40 && depth > 0) depths.add(depth)
    const [drafted, alone] = depth > 0 ? [1 + (i % 5), 0] : [0, steps as number]
    const tokens = STEP_TOKENS * (drafted + alone)
    controller.observe(cycleOf({ drafted, accepted: drafted, tokens, ms: depth > 0 ? 2 + tokens / 4 : tokens }))
  }
  expect([...depths]).toEqual([8])
})

describe('what is learned of a cycle', () => {
  /** After cycles that pay, and such ones. */
  const after = (last: Partial<Cycle>, times: number) => {
    const controller = adaptive(4)
    play(controller, { acceptance: 0.9, cost: farPays }, 40)
    for (let i = 0; i < times; i++) controller.observe(cycleOf(last))
    // The target alone may be due.
    return controller.next().depth || controller.next().depth
  }
  const lost = { drafted: 4, accepted: 0, tokens: 1, ms: 46 }

  test('of the last one of a text what it cost, not what was accepted', () => {
    expect(after({ ...lost, isLast: true }, 20)).toBeGreaterThanOrEqual(3)
    expect(after(lost, 20)).toBeLessThan(3)
    expect(after({ ...lost, ms: 46_000, isLast: true }, 12)).toBeLessThan(3)
  })

  test('a draft that is far too slow is noticed in runs of one cycle, which read a prompt and end the text', () => {
    const controller = adaptive(8)
    const plans: Plan[] = []
    for (let run = 0; run < 6; run++) {
      const plan = controller.next()
      plans.push(plan)
      const only = { tokens: 100, readsPrompt: true, isLast: true }
      controller.observe(
        cycleOf(
          plan.depth > 0 ? { ...only, drafted: 3, accepted: 3, acceptedTokens: 90, ms: 2_000 } : { ...only, ms: 150 },
        ),
      )
    }
    expect(plans.filter(({ depth }) => depth > 0).length).toBeLessThanOrEqual(3)
    expect(plans.at(-1)).toMatchObject({ depth: 0 })
  })

  /** Short texts in which it was tried, where what is drafted takes so many times what the target takes alone. */
  const triesOf = (slower: number): number[] => {
    const controller = adaptive(8)
    const tries: number[] = []
    for (let text = 0; text < 60; text++) {
      // A text of five steps: what is drafted costs more than it brings.
      for (let left = 5; left > 0;) {
        const { depth, steps } = controller.next()
        if (depth > 0) tries.push(text)
        const written = depth > 0 ? 1 : Math.min(left, steps as number)
        left -= written
        const tokens = STEP_TOKENS * written
        const common = { tokens, isLast: left === 0 }
        controller.observe(
          cycleOf(depth > 0 ? { ...common, drafted: 1, ms: slower * tokens } : { ...common, ms: tokens }),
        )
      }
    }
    return tries
  }

  test('where it does not pay, texts that end before it is due try it no sooner than one long text', () => {
    // After 4 to time the target, and 4, 8, 16, … steps alone.
    expect(triesOf(1.1)).toEqual([0, 2, 4, 8, 15, 31])
  })

  test('a text that ends while the target is only timed leaves nothing of that to the next one', () => {
    const controller = adaptive(8)
    const trial = () => controller.observe(cycleOf({ drafted: 256, tokens: 30, ms: 256 * 35 }))
    const alone = (steps: number | 'end', more: Partial<Cycle> = {}) => {
      const tokens = STEP_TOKENS * (steps as number)
      controller.observe(cycleOf({ tokens, ms: tokens, ...more }))
    }
    controller.next()
    trial()
    alone(controller.next().steps)
    const stretch = controller.next()
    expect(stretch).toMatchObject({ depth: 0 })
    alone(stretch.steps)
    expect(controller.next().depth).toBeGreaterThan(0)
    trial()
    expect(controller.next()).toMatchObject({ depth: 0, steps: 2 })
    alone(1, { isLast: true })
    expect(controller.next().steps).toBeGreaterThanOrEqual(2 * (stretch.steps as number))
  })

  test('the more a trial loses, the more is written alone before the next', () => {
    expect(triesOf(3)).toEqual([0, 10, 30])
    expect(triesOf(20)).toEqual([0, 45])
  })

  test('those that also read the prompt hardly count', () => {
    const next = (readsPrompt: boolean) => {
      const controller = adaptive(4)
      play(controller, { acceptance: 0.9, cost: farPays }, 60)
      const slow = cycleOf({ drafted: 4, accepted: 4, tokens: 120, ms: 135, readsPrompt })
      for (let i = 0; i < 18; i++) controller.observe(slow)
      for (let i = 0; i < 3; i++) controller.observe(cycleOf({ tokens: 120, ms: 84 }))
      return controller.next().depth
    }
    expect(next(true)).toBeGreaterThan(0)
    expect(next(false)).toBe(0)
  })

  test('one that was held up hardly counts', () => {
    expect(after({ drafted: 4, accepted: 4, tokens: 120, ms: 100_000 }, 1)).toBeGreaterThanOrEqual(2)
  })
})
