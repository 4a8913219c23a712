/** The Grafana dashboard asks for what the backend's metrics have. */
import { expect, inject, test } from 'vitest'
import dashboard from '../../docs/grafana.json' with { type: 'json' }

test('every metric of the dashboard is one of the backend', async () => {
  const told = await (await fetch(`${inject('backendURL')}/metrics`)).text()
  const known = new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const asked = dashboard.panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => [...expr.matchAll(/lookahead:\w+/g)].map(([name]) => name.replace(/_bucket$/, ''))),
  )
  expect(asked.length).toBeGreaterThan(10)
  expect(asked.filter((name) => !known.has(name))).toEqual([])
})
