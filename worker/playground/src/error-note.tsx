import type { LookaheadError } from '@lookahead/sdk'

/** What went wrong, what to do, and by what name the worker's log knows it. */
export function ErrorNote({ error }: { error: LookaheadError | undefined }) {
  if (!error) return null
  return (
    <div role="alert" class="error">
      <p>{advice[error.code] ?? sentence(error.message)}</p>
      <p class="hint">
        <code>{error.code}</code>
        {advice[error.code] && ` ${error.message}`}
        {error.requestId && ` · request ${error.requestId}`}
      </p>
    </div>
  )
}

const advice: Record<string, string> = {
  run_not_found: 'This run is not kept any more. Ask again.',
  invalid_api_key: 'The worker asks for an API key: enter it in the settings, and ask again.',
  connection_error: 'The worker cannot be reached. Is it still running?',
  overloaded: 'The backend is too busy. Ask again in a moment.',
  target_unavailable: 'The backend is away. Ask again once it is back.',
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
