import { useId } from 'preact/hooks'

export interface SliderProps {
  label: string
  value: number
  min: number
  max: number
  step?: number
  /** The value as people read it. Default: the number. */
  shown?: string
  unit?: string
  disabled?: boolean
  onChange: (value: number) => void
}

export function Slider({
  label,
  value,
  min,
  max,
  step = 1,
  shown = String(value),
  unit = '',
  disabled = false,
  onChange,
}: SliderProps) {
  const id = useId()
  const words = unit ? `${shown} ${unit}` : shown
  return (
    <div class="field">
      <div class="row spread">
        <label for={id}>{label}</label>
        <output for={id}>{words}</output>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-valuetext={words}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
    </div>
  )
}
