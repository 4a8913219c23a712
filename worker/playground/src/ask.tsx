/** Of the kinds that the demo models know. */
export const examples = [
  'Ann has 144 shells. 2/3 of them are yellow, and 4/8 of the rest are red. How many shells are red?',
  'A journey of 1149 km: Loren goes at 96 km an hour for 4 hours, then at 85 km an hour. How many hours does the rest take?',
]

export interface AskProps {
  question: string
  onChange: (question: string) => void
  isRunning: boolean
  onAsk: () => void
  onStop: () => void
}

/** Enter asks, Shift+Enter is a new line, Escape stops. */
export function Ask({ question, onChange, isRunning, onAsk, onStop }: AskProps) {
  const isEmpty = question.trim() === ''
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault()
        if (!isEmpty) onAsk()
      }}
    >
      <label for="question">Question</label>
      <textarea
        id="question"
        rows={3}
        value={question}
        aria-describedby="keys"
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          event.currentTarget.form?.requestSubmit()
        }}
      />
      <div class="row">
        <button class="primary" disabled={isEmpty}>
          Ask
        </button>
        <button type="button" onClick={onStop} disabled={!isRunning}>
          Stop
        </button>
        <span id="keys" class="hint">
          <kbd>Enter</kbd> asks, <kbd>Esc</kbd> stops
        </span>
      </div>
    </form>
  )
}
