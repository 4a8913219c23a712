/** What becomes of a text's slots when an older one needs them. */
import { expect, test } from 'vitest'
import { stageEngine } from '../../../test/stage-engine.ts'
import { Tree } from '../decode/tree.ts'

const staged = stageEngine({ slots: 300 })
const tokens = (count: number, from: number): number[] => Array.from({ length: count }, (_, i) => from + (i % 50))

test('what it had read and written is kept as far as there is room, and counts once as looked up', async () => {
  const runner = staged.engine.target
  staged.says('target', () => 5)
  const older = new Tree(runner)
  const younger = new Tree(runner, { most: 100 })
  await younger.prefill(tokens(40, 20), [], [0])
  const leaf = younger.leaf(0)
  await younger.advance([{ leaf, tokens: tokens(60, 80) }])
  const { prefixQueries } = runner.stats
  await older.prefill(tokens(210, 150), [], [0])
  expect(runner.stats.preemptions).toBe(1)
  expect(younger.lease.held).toBe(0)
  older.release()
  await younger.advance([{ leaf, tokens: [7] }])
  // Some of the last tokens had to make room.
  expect(younger.lease.reused).toBeGreaterThan(80)
  expect(younger.lease.reused).toBeLessThan(100)
  expect(runner.stats.prefixQueries).toBe(prefixQueries + 210 - 1)
  younger.release()
})

test('a text that takes all the slots there are is read, and one of a token more is refused', async () => {
  const runner = staged.engine.target
  staged.says('target', () => 5)
  const tree = new Tree(runner)
  expect(await tree.prefill(tokens(300, 20), [], [0])).toHaveLength(1)
  tree.release()
  const more = new Tree(runner).prefill(tokens(301, 20), [], [0])
  await expect(more).rejects.toMatchObject({ code: 'context_length_exceeded' })
})

test('nobody is made to give slots back for one that finds no room even then, since they are shared', async () => {
  const runner = staged.engine.target
  staged.says('target', () => 5)
  const [oldest, newcomer, last] = [1, 2, 3].map((n) => new Tree(runner, { arrival: 1e6 + n })) as [Tree, Tree, Tree]
  await oldest.prefill(tokens(200, 20), [], [0])
  await last.prefill([...tokens(200, 20), ...tokens(20, 150)], [], [0])
  expect(last.lease.reused).toBe(200)
  const { preemptions } = runner.stats
  let isRead = false
  const reading = newcomer.prefill(tokens(150, 250), [], [0]).then(() => (isRead = true))
  await last.advance([{ leaf: last.leaf(0), tokens: [7] }])
  expect([isRead, runner.stats.preemptions]).toEqual([false, preemptions])
  for (const tree of [oldest, last]) tree.release()
  await reading
  newcomer.release()
})
