import { expect, it } from 'vitest'
import { load } from './load.ts'

it('answers under load as it does alone, and leaves nothing behind', async () => {
  // Not half of what the clients want has room at a time, so texts wait for slots. Whether one also has to give its own
  // back is a matter of timing here; that they must, and come out the same, is tested in the engine (preemption.test.ts).
  const { violations, refused, done } = await load({
    clients: 16,
    seconds: 6,
    seed: 'short',
    requests: 14,
    slots: 2100,
  })
  expect(violations).toEqual([])
  expect(refused).toBe(0)
  expect(Object.values(done).every((count) => count > 0)).toBe(true)
})
