import { useMemo, useState } from 'preact/hooks'
import { percent, seconds } from './figures.tsx'
import type { Recording } from './recording.ts'
import { Slider } from './slider.tsx'
import { Timeline } from './timeline.tsx'
import { modelOf, predict } from './what-if.ts'
import type { Rates } from './what-if.ts'

/** The same run with other rates, by the simulator. @param beside plain decoding of the same, where it was raced */
export function WhatIf({ recording, beside }: { recording: Recording; beside: Recording | undefined }) {
  const model = useMemo(() => modelOf(recording, beside), [recording, beside])
  const [changed, setChanged] = useState<{ of: Recording; rates: Rates }>()
  if (!model) return null
  const rates = changed?.of === recording ? changed.rates : model.rates
  const set = (change: Partial<Rates>) => setChanged({ of: recording, rates: { ...rates, ...change } })
  const { ahead, plain, course } = predict(model, rates)
  const asRecorded = predict(model, model.rates)
  const measured = recording.events.at(-1)!.at
  const isChanged = rates !== model.rates
  return (
    <section class="what-if panel">
      <div class="row spread">
        <h2>What if?</h2>
        <button type="button" class="small" disabled={!isChanged} onClick={() => setChanged(undefined)}>
          As recorded
        </button>
      </div>
      <p class="hint">
        The simulator plays this run again with other rates; with those it had, in {seconds(asRecorded.ahead)} of{' '}
        {seconds(measured)} measured. A draft token costs that part of a forward of the target.
      </p>
      <div class="sliders">
        <Slider
          label="Steps accepted"
          shown={percent(rates.acceptance)}
          value={rates.acceptance}
          min={0}
          max={1}
          step={0.01}
          onChange={(acceptance) => set({ acceptance })}
        />
        <Slider
          label="Draft token’s cost"
          shown={rates.cost.toFixed(2)}
          value={rates.cost}
          min={0}
          max={1}
          step={0.01}
          onChange={(cost) => set({ cost })}
        />
        <Slider
          label="Depth"
          unit="steps ahead"
          value={rates.depth}
          min={0}
          max={16}
          onChange={(depth) => set({ depth })}
        />
      </div>
      <p class="prediction" role="status">
        <b>{seconds(ahead)}</b> {(asRecorded.ahead / ahead).toFixed(2)} times as fast as it was
        {beside && `, ${(plain / ahead).toFixed(2)} times as fast as plain decoding`}
      </p>
      <Timeline title="Simulated" course={course} {...(beside && { plain })} until={asRecorded.ahead} />
    </section>
  )
}
