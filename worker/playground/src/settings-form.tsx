import { useEffect, useRef } from 'preact/hooks'
import { Panel } from './panel.tsx'
import { Slider } from './slider.tsx'
import { looksAhead, modeNames, modeWords, verifierNames, verifierWords } from './settings.ts'
import type { Settings, VerifierName } from './settings.ts'
import { isKey } from './use-client.ts'

export interface SettingsFormProps {
  settings: Settings
  onChange: (settings: Settings) => void
  apiKey: string
  onApiKey: (key: string) => void
  /** The worker has asked for another key. */
  isRefused: boolean
}

export function SettingsForm({ settings, onChange, apiKey, onApiKey, isRefused }: SettingsFormProps) {
  const set = (change: Partial<Settings>) => onChange({ ...settings, ...change })
  const isOff = !looksAhead(settings.mode)
  const keyField = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (isRefused) keyField.current?.focus()
  }, [isRefused])
  return (
    <Panel title="Settings">
      <form onSubmit={(event) => event.preventDefault()}>
        <fieldset class="choices">
          <legend>Mode</legend>
          {modeNames.map((mode) => (
            <label key={mode}>
              <input type="radio" name="mode" checked={settings.mode === mode} onChange={() => set({ mode })} />
              <code>{mode}</code> <span class="hint">{modeWords[mode]}</span>
            </label>
          ))}
        </fieldset>
        <Slider
          label="Depth"
          unit="steps ahead"
          value={settings.depth}
          min={1}
          max={16}
          disabled={isOff}
          onChange={(depth) => set({ depth })}
        />
        <Slider
          label="Width"
          unit={settings.width === 1 ? 'draft of each step' : 'drafts of each step'}
          value={settings.width}
          min={1}
          max={8}
          disabled={isOff}
          onChange={(width) => set({ width })}
        />
        <label class="field">
          <span>Verifier</span>
          <select
            value={settings.verifier}
            disabled={isOff}
            onChange={(event) => set({ verifier: event.currentTarget.value as VerifierName })}
          >
            {verifierNames.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <span class="hint">{verifierWords[settings.verifier]}</span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={settings.race}
            disabled={settings.mode === 'ar'}
            onChange={(event) => set({ race: event.currentTarget.checked })}
          />
          <span>
            Race plain decoding <span class="hint">(after it, alone on the machine)</span>
          </span>
        </label>
        <label class="field">
          <span>
            API key <span class="hint">(if the worker asks for one; kept in this tab)</span>
          </span>
          <input
            ref={keyField}
            type="password"
            autocomplete="off"
            value={apiKey}
            aria-invalid={isRefused || !isKey(apiKey)}
            onInput={(event) => onApiKey(event.currentTarget.value)}
          />
        </label>
      </form>
    </Panel>
  )
}
