/** One run, held against what it is alone. */
import { LookaheadError } from '@lookahead/sdk'
import type { Lookahead } from '@lookahead/sdk'
import { isTerminal } from '@lookahead/sdk/protocol'
import type { Solo } from './runs.ts'

export interface Testimony {
  /** Undefined: the run completed. */
  error: LookaheadError | undefined
  runId: string | undefined
  /** It said that it waits for its backend. */
  hasWaited: boolean
  /** What must not be. */
  violations: string[]
}

/** What may come of a fault: a typed error that says that trying again may help. */
const causes: Record<string, (error: LookaheadError) => boolean> = {
  run_failed: ({ code }) => ['target_unavailable', 'overloaded'].includes(code),
  api: (error) => error.retryable,
  connection: () => true,
  timeout: () => true,
  stream_interrupted: () => true,
}

export async function witness(client: Lookahead, { request, ...solo }: Solo, signal: AbortSignal): Promise<Testimony> {
  const testimony: Testimony = { error: undefined, runId: undefined, hasWaited: false, violations: [] }
  const wrong = (what: string) => testimony.violations.push(`${what}: ${JSON.stringify(request)}`)
  const texts = () => `${JSON.stringify(text)}, not ${JSON.stringify(solo.text)}`
  let text = ''
  let terminals = 0
  try {
    for await (const event of client.runs.stream(request, { signal })) {
      if (event.type === 'run.started') testimony.runId = event.run_id
      if (event.type === 'text.delta') text += event.text
      if (event.type === 'run.waiting') testimony.hasWaited = true
      if (isTerminal(event)) terminals++
      if (event.type !== 'run.completed') continue
      const { finish_reason: reason, usage } = event
      if (usage.completion_tokens !== solo.tokens) wrong(`${usage.completion_tokens} tokens, not ${solo.tokens}`)
      if (reason !== solo.finishReason) wrong(`ended with ${reason}, not ${solo.finishReason}`)
    }
    if (text !== solo.text) wrong(`another text: ${texts()}`)
    if (terminals !== 1) wrong(`${terminals} terminal events`)
  } catch (error) {
    if (!LookaheadError.isInstance(error)) {
      wrong(`no error of ours: ${String(error)}`)
      return testimony
    }
    testimony.error = error
    const what = nameOf(error)
    if (!solo.text.startsWith(text)) wrong(`${what} after another text: ${texts()}`)
    if (terminals > 1) wrong(`${terminals} terminal events`)
    if (!signal.aborted && !causes[error.kind]?.(error)) wrong(`${what} (${error.message})`)
    testimony.runId = error.requestId ?? testimony.runId
  }
  return testimony
}

export const nameOf = ({ kind, code }: LookaheadError): string => `${kind} ${code}`
