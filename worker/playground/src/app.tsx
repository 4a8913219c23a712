/** The whole page: a question, the run that answers it, and what it tells. */
import { useEffect, useState } from 'preact/hooks'
import { Announcer } from './announcer.tsx'
import { Code } from './code-view.tsx'
import { ErrorNote } from './error-note.tsx'
import { Ask, examples } from './ask.tsx'
import { Figures } from './figures.tsx'
import { Health } from './health.tsx'
import { useKept } from './kept.ts'
import { RecordingBar } from './recording-bar.tsx'
import { Result } from './result.tsx'
import { SettingsForm } from './settings-form.tsx'
import { defaults, plainRequest, requestOf } from './settings.ts'
import { Timeline } from './timeline.tsx'
import { courseOf } from './spans.ts'
import { questionOf } from './recording.ts'
import type { Recording } from './recording.ts'
import { useClient } from './use-client.ts'
import { useRecordedRun } from './use-recorded-run.ts'
import { WhatIf } from './what-if-view.tsx'

/** Whether the worker keeps runs; it says so in the page. */
const isStoring = document.querySelector('[data-stores-runs]') !== null

export function App() {
  const [question, setQuestion] = useKept('question', examples[0]!)
  const [kept, setSettings] = useKept('settings', defaults)
  const settings = { ...defaults, ...kept }
  const [speed, setSpeed] = useState(1)
  const { client, apiKey, setApiKey } = useClient()
  const ahead = useRecordedRun(client, speed, 'ahead')
  const plain = useRecordedRun(client, speed, 'plain')
  const isRunning = ahead.status === 'running' || plain.status === 'running'

  // Each alone on the machine: side by side they would slow each other.
  const [raced, setRaced] = useKept<Recording['request'] | undefined>('raced', undefined)
  useEffect(() => {
    if (ahead.status !== 'completed' || !raced) return
    plain.ask(raced)
    setRaced(undefined)
  }, [ahead.status])

  const ask = () => {
    const request = { ...requestOf(question, settings), ...(isStoring && { store: true }) }
    plain.clear()
    setRaced(settings.race && settings.mode !== 'ar' ? plainRequest(request) : undefined)
    ahead.ask(request)
  }
  const stop = () => {
    setRaced(undefined)
    ahead.stop()
    plain.stop()
  }
  const play = (recording: Recording, beside?: Recording) => {
    setRaced(undefined)
    setQuestion(questionOf(recording.request))
    if (beside) plain.play(beside)
    else plain.clear()
    ahead.play(recording)
  }

  const course = ahead.recording && courseOf(ahead.recording.events)
  const besides = plain.recording && courseOf(plain.recording.events)
  return (
    <div class="page" onKeyDown={(event) => event.key === 'Escape' && isRunning && stop()}>
      <header>
        <h1>Lookahead</h1>
        <p>
          A small model drafts the next steps of a thought. The target keeps those that mean what it would have said,
          and corrects the first that does not.
        </p>
        <Health client={client} after={isRunning} />
      </header>
      <main>
        <Ask question={question} onChange={setQuestion} isRunning={isRunning} onAsk={ask} onStop={stop} />
        <aside aria-label="Settings and code">
          <SettingsForm
            settings={settings}
            onChange={setSettings}
            apiKey={apiKey}
            onApiKey={setApiKey}
            isRefused={isRefusal(ahead.error)}
          />
          <Code origin={location.origin} question={question} settings={settings} hasKey={apiKey !== ''} />
        </aside>
        <div class="outcome">
          <ErrorNote error={ahead.error ?? plain.error} />
          {ahead.recording && <Figures ahead={ahead} plain={plain} />}
          {course && <Timeline course={course} {...(besides && { plain: besides.end })} isRunning={isRunning} />}
          {ahead.recording && <Result ahead={ahead} plain={plain} />}
          <RecordingBar
            ahead={ahead.recording}
            plain={plain.recording}
            isRunning={isRunning}
            onPlay={play}
            speed={speed}
            onSpeed={setSpeed}
          />
          {ahead.status === 'completed' && ahead.recording && (
            <WhatIf recording={ahead.recording} beside={plain.status === 'completed' ? plain.recording : undefined} />
          )}
        </div>
      </main>
      <Announcer ahead={ahead} />
    </div>
  )
}

const isRefusal = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'status' in error && error.status === 401
