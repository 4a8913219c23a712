import { testProblems } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { RunEvent as RunEventSchema, parseRequest, readEvents } from '@lookahead/sdk/protocol'
import { inject } from 'vitest'

export const client = new Lookahead({ baseURL: inject('workerURL'), maxRetries: 0 })

export const problems = testProblems(5)

/** A request for the answer to a problem, or to a question of one's own; greedy unless told otherwise. */
export const about = (
  question: string | number,
  request: Omit<RunRequestInput, 'messages' | 'prompt'> = {},
): RunRequestInput => ({
  messages: [{ role: 'user', content: typeof question === 'number' ? problems[question]!.question : question }],
  sampling: { temperature: 0 },
  max_tokens: 400,
  ...request,
})

export interface WireEvent {
  id: string | undefined
  event: string
  data: RunEvent
}

/** A run without the SDK. */
export const post = (body: unknown, signal?: AbortSignal): Promise<Response> =>
  fetch(`${inject('workerURL')}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })

export async function readWire(response: Response): Promise<WireEvent[]> {
  const events: WireEvent[] = []
  for await (const { id, event, data } of readEvents(response.body!)) {
    events.push({ id, event, data: parseRequest(RunEventSchema, JSON.parse(data)) })
  }
  return events
}

export interface BackendHealth {
  status: string
  /** Of the target, and of every model by its role. */
  slots: { total: number; free: number }
  pools: Record<string, { total: number; free: number }>
  contexts: number
  running: number
}

export const backendHealth = async (): Promise<BackendHealth> =>
  (await (await fetch(`${inject('backendURL')}/health`)).json()) as BackendHealth
