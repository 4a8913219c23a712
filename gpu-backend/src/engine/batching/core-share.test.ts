/** When a core is the draft's, by the times that forwards are said to have taken. */
import { expect, test } from 'vitest'
import { CoreShare } from './core-share.ts'

/** @returns whether the last of many forwards left a core; each takes `oneThread`, and the draft needs `draftMs` meanwhile. */
function settled(cores: CoreShare, { oneThread, draftMs }: { oneThread: number; draftMs: number }): boolean {
  let left = false
  for (let i = 0; i < 200; i++) {
    left = cores.begin(true)
    cores.drafted(draftMs)
    cores.end(left ? Math.max(oneThread, draftMs) : 0.6 * oneThread + draftMs, left)
  }
  return left
}

test('a draft with as much to do as the target has a core of its own', () => {
  expect(settled(new CoreShare(), { oneThread: 10, draftMs: 10 })).toBe(true)
  expect(settled(new CoreShare(), { oneThread: 10, draftMs: 6 })).toBe(true)
})

test('one with little to do has not, and gets it back when it has more', () => {
  const cores = new CoreShare()
  expect(settled(cores, { oneThread: 30, draftMs: 3 })).toBe(false)
  expect(settled(cores, { oneThread: 10, draftMs: 6 })).toBe(true)
  expect(settled(cores, { oneThread: 30, draftMs: 3 })).toBe(false)
})

test('what it runs between the target’s forwards counts too', () => {
  const cores = new CoreShare()
  for (let i = 0; i < 200; i++) {
    cores.drafted(6)
    cores.end(cores.begin(true) ? 10 : 6, cores.begin(true))
  }
  expect(cores.begin(true)).toBe(true)
})

test('nobody leaves a core to a draft that is not at work', () => {
  const cores = new CoreShare()
  settled(cores, { oneThread: 10, draftMs: 10 })
  expect(cores.begin(false)).toBe(false)
})

test('a target of one thread has nothing to take back', () => {
  expect(settled(new CoreShare(1), { oneThread: 30, draftMs: 1 })).toBe(true)
})
