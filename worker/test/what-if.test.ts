/** What the playground's simulator says of runs of the shipped models, with the time each event came. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from '../playground/src/recording.ts'
import type { Recording, TimedEvent } from '../playground/src/recording.ts'
import { modelOf, predict } from '../playground/src/what-if.ts'
import type { Model, Rates } from '../playground/src/what-if.ts'

function recording(name: string): Recording {
  const file = new URL(`recorded/timed-${name}.json`, import.meta.url)
  const { request, events } = JSON.parse(readFileSync(file, 'utf8')) as Recording
  return parse([{ type: 'run.requested', at: 0, request }, ...events].map((line) => JSON.stringify(line)).join('\n'))
}

const measured = ({ events }: Recording): number => events.at(-1)!.at

/** The same run, one cycle of which took longer: from the event on, as the machine was at something else. */
function stalled({ request, events }: Recording, ms: number): Recording {
  const from = events.findIndex(({ type }) => type === 'run.stats')
  const late = (event: TimedEvent): TimedEvent => {
    const { at } = event
    if (!('stats' in event)) return { ...event, at: at + ms }
    const { elapsed_ms, target_ms } = event.stats
    return { ...event, at: at + ms, stats: { ...event.stats, elapsed_ms: elapsed_ms + ms, target_ms: target_ms + ms } }
  }
  return { request, events: events.map((event, i) => (i < from ? event : late(event))) }
}

const withRates = (model: Model, rates: Partial<Rates>): number => predict(model, { ...model.rates, ...rates }).ahead

describe.each(['likelihood', 'exact'])('a run with the verifier %s', (name) => {
  const run = recording(name)
  const model = modelOf(run)!

  test('takes as long as it did, with the rates that it had', () => {
    expect(predict(model, model.rates).ahead / measured(run)).toBeCloseTo(1, 1)
  })

  test('is slower the fewer steps are accepted, and never many times as slow as the slowest that it was', () => {
    const [all, half, none] = [1, 0.5, 0].map((acceptance) => withRates(model, { acceptance }))
    expect(half).toBeGreaterThanOrEqual(all!)
    expect(none).toBeGreaterThan(half!)
  })

  test('of which a cycle was slow is not slow in every forward', () => {
    const slow = modelOf(stalled(run, 20_000))!
    expect(slow.world.target[0]![1] / model.world.target[0]![1]).toBeLessThan(3)
    expect(predict(slow, slow.rates).ahead / (measured(run) + 20_000)).toBeCloseTo(1, 1)
    // What was lost once is not lost with every step.
    const worse = { acceptance: 0.5 }
    expect(withRates(slow, worse) - withRates(model, worse)).toBeLessThan(4 * 20_000)
  })
})
