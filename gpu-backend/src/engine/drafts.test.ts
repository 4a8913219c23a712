import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Drafts } from './drafts.ts'
import type { DraftStep } from './text/step.ts'

const step = (id: string): DraftStep => ({ id, tokens: [1, 2], text: `${id}\n\n`, end: 'delimiter', distributions: [] })

function withSteps(...ids: string[]): Drafts {
  const drafts = new Drafts()
  drafts.plan(4, true)
  for (const id of ids) drafts.add(step(id))
  return drafts
}
const idsOf = (drafts: Drafts): string[] => drafts.steps.map(({ id }) => id)

test('steps after those that a commit confirms stand', () => {
  const drafts = withSteps('a', 'b', 'c')
  drafts.commit(2, { goesOn: true })
  expect([idsOf(drafts), drafts.refutations]).toEqual([['c'], 0])
})

test('but not where the target wrote on: what was drafted meanwhile does not come after its words', () => {
  const drafts = withSteps('a', 'b', 'c')
  drafts.commit(2, { goesOn: false })
  expect([idsOf(drafts), drafts.refutations]).toEqual([[], 1])
})

test('what is drafted anew after a refuted step stands, once what is in its place is committed', () => {
  const drafts = withSteps('a', 'b')
  drafts.refute()
  expect(idsOf(drafts)).toEqual([])
  drafts.commit(1, { goesOn: false })
  drafts.add(step('c'))
  expect([idsOf(drafts), drafts.refutations]).toEqual([['c'], 1])
})

test('in turns, no step is wanted while others are verified', async () => {
  const { signal } = new AbortController()
  const drafts = withSteps('a')
  drafts.plan(3, false)
  expect(await drafts.next(signal)).toHaveLength(1)
  let isWanted = false
  const wanted = drafts.wanted(signal).then((goesOn) => (isWanted = goesOn))
  drafts.enter()
  await setImmediate()
  expect(isWanted).toBe(false)
  drafts.commit(1, { goesOn: true })
  expect(await wanted).toBe(true)
})

test('a target that is to write alone waits for no step', async () => {
  const drafts = new Drafts()
  drafts.plan(0, true)
  drafts.enter()
  expect(await drafts.next(AbortSignal.timeout(1_000))).toEqual([])
})
