import type { Lookahead, Mode, RunEvent, RunRequestInput, RunResult } from '@lookahead/sdk'

/** One run, timed by its client. */
export interface Measurement {
  result: RunResult
  tokens: number
  /** From sending the request to the terminal event. */
  seconds: number
  tokensPerSecond: number
}

type Question = Omit<RunRequestInput, 'lookahead' | 'prompt' | 'messages'> & {
  messages: NonNullable<RunRequestInput['messages']>
  lookahead?: Omit<NonNullable<RunRequestInput['lookahead']>, 'mode'>
}

export const ask = (question: string): Question => ({ messages: [{ role: 'user', content: question }] })

export async function measure(
  client: { runs: Pick<Lookahead['runs'], 'stream'> },
  mode: Mode,
  question: Question,
  onEvent?: (event: RunEvent) => void,
): Promise<Measurement> {
  const run = client.runs.stream({ ...question, lookahead: { ...question.lookahead, mode } })
  const start = performance.now()
  for await (const event of run) onEvent?.(event)
  const seconds = (performance.now() - start) / 1000
  const result = await run.final()
  const tokens = result.usage.completion_tokens
  return { result, tokens, seconds, tokensPerSecond: tokens / seconds }
}
