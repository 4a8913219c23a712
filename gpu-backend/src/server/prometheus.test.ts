import { expect, test } from 'vitest'
import { Registry } from './prometheus.ts'

test('counters and gauges: one line a series, label values escaped', () => {
  const registry = new Registry()
  const total = registry.counter('calls_total', 'Calls.')
  total.add(2, { kind: 'a "b"\\\n' })
  total.add(1, { kind: 'a "b"\\\n' })
  registry.gauge('running', 'Now.').set(0.5)
  expect(registry.render()).toBe(`# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{kind="a \\"b\\"\\\\\\n"} 3
# HELP running Now.
# TYPE running gauge
running 0.5
`)
})

test('histograms: buckets hold all values up to their bound', () => {
  const registry = new Registry()
  const seconds = registry.histogram('seconds', 'Time.', [0.1, 1])
  seconds.observe(0.1, { of: 'x' })
  seconds.observe(0.5, { of: 'x' }, 2)
  seconds.observe(3, { of: 'x' })
  expect(registry.render()).toBe(`# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{of="x",le="0.1"} 1
seconds_bucket{of="x",le="1"} 3
seconds_bucket{of="x",le="+Inf"} 4
seconds_sum{of="x"} 4.1
seconds_count{of="x"} 4
`)
})
