import { useState } from 'preact/hooks'
import { Panel } from './panel.tsx'
import { codeIn, languages } from './code.ts'
import type { Asked, Language } from './code.ts'

/** The same request as code, to copy. */
export function Code(asked: Asked) {
  const [language, setLanguage] = useState<Language>('SDK')
  const [told, tell] = useState('')
  const code = codeIn[language](asked)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code)
      tell('Copied')
    } catch {
      tell('Cannot copy here')
    }
    setTimeout(() => tell(''), 2000)
  }
  return (
    <Panel title="Code">
      <div class="row spread">
        <fieldset class="segments">
          <legend class="unseen">Language</legend>
          {languages.map((name) => (
            <label key={name}>
              <input type="radio" name="language" checked={name === language} onChange={() => setLanguage(name)} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
        <button type="button" class="small" onClick={() => void copy()}>
          {told || 'Copy'}
        </button>
      </div>
      <span role="status" class="unseen">
        {told}
      </span>
      {/* Focusable, so that it can be scrolled by keys. */}
      <pre tabindex={0} role="region" aria-label={`Code for ${language}`}>
        <code>{code}</code>
      </pre>
    </Panel>
  )
}
