/** What the hook shows; the hook itself is tested in a browser, in `test/e2e`. */
import { expect, test } from 'vitest'
import { events, stats, stopServer } from '../../test/server.ts'
import { idle, withEvent } from './run-view.ts'
import type { RunView } from './run-view.ts'
import type { RunEvent } from '../protocol/runs.ts'

stopServer()

const after = (list: readonly RunEvent[], view: RunView = { ...idle, status: 'running' }) =>
  list.reduce(withEvent, view)
const fates = ({ steps }: RunView) => steps.map(({ step, fate }) => [step, fate])

test('steps appear when they are drafted, and change as the verifier rules', () => {
  const views = events.map((_, i) => after(events.slice(0, i + 1)))
  expect(fates(views[2]!)).toEqual([
    [0, 'drafted'],
    [1, 'drafted'],
  ])
  expect(fates(views[3]!)).toEqual([
    [0, 'accepted'],
    [1, 'drafted'],
  ])
  expect(fates(views[5]!)).toEqual([
    [0, 'accepted'],
    [1, 'rejected'],
  ])
  const last = views.at(-1)!
  expect(last).toMatchObject({
    status: 'completed',
    reasoning: 'Grüße ✓.\n\nRight.\n\n',
    answer: 'The answer is 42.',
    finish_reason: 'stop',
    stats,
    steps: [
      { step: 0, fate: 'accepted', reason: 'judge' },
      { step: 1, fate: 'corrected', text: 'Right.\n\n', rejected: 'Wrong.\n\n', reason: 'judge' },
    ],
  })
  expect(views[2]!.steps).toHaveLength(2)
})

test('what was drafted after a rejected step, or is left over at the end, is gone', () => {
  const drafted = (step: number): RunEvent => ({ type: 'step.drafted', step, text: `${step}\n\n` })
  const rejected: RunEvent = { type: 'step.rejected', step: 0, text: '0\n\n', reason: 'judge' }
  expect(fates(after([drafted(0), drafted(1), rejected]))).toEqual([[0, 'rejected']])
  expect(fates(after([drafted(0), events.at(-1)!]))).toEqual([])
})

test('a run that begins again shows nothing of its first attempt', () => {
  const [started] = events
  const failed: RunEvent = { type: 'run.degraded', part: 'draft', code: 'x', message: 'm' }
  expect(after([...events.slice(0, 3), failed, started!])).toMatchObject({ steps: [], degraded: [] })
})

test('a part that failed is named', () => {
  const event: RunEvent = { type: 'run.degraded', part: 'judge', code: 'judge_failed', message: '' }
  expect(after([event]).degraded).toEqual(['judge'])
})
