/** A page that shows steps as they are drafted, accepted and corrected. `index.html` says how to look at it. */
import { Lookahead } from '@lookahead/sdk'
import { useRun } from '@lookahead/sdk/react'
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'

const worker = new URLSearchParams(location.search).get('worker') ?? 'http://127.0.0.1:8787'
const client = new Lookahead({ baseURL: worker })

function Page() {
  const [question, setQuestion] = useState('Ann has 144 shells. 2/3 of them are yellow. How many shells are yellow?')
  const { status, steps, answer, error, ask, stop } = useRun(client)
  const submit = () => ask({ messages: [{ role: 'user', content: question }], lookahead: { mode: 'lr+sd', depth: 4 } })
  return (
    <main>
      <form action={submit}>
        <label>
          Question <textarea value={question} onChange={(event) => setQuestion(event.target.value)} />
        </label>
        <button>Ask</button>
        <button type="button" onClick={stop} disabled={status !== 'running'}>
          Stop
        </button>
      </form>
      <ol>
        {steps.map(({ step, text, fate, rejected }) => (
          <li key={step} className={fate}>
            {rejected && <del>{rejected}</del>}
            {text}
          </li>
        ))}
      </ol>
      <output aria-live="polite">{error ? error.message : answer}</output>
      <p role="status">{status}</p>
    </main>
  )
}

createRoot(document.querySelector('#root')!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
