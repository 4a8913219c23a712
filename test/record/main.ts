/**
 * Records runs of the shipped models, event for event, for the tests of those who word them: `node test/record/main.ts`.
 * What fails is made to fail: the backend is stopped under a run.
 */
import { writeFileSync } from 'node:fs'
import { Lookahead, LookaheadError } from '@lookahead/sdk'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { testProblems } from '@lookahead/gpu-backend/dataset'
import { startStack } from '../launcher/index.ts'

const folder = new URL('../../worker/test/recorded/', import.meta.url)

const messages = [{ role: 'user' as const, content: testProblems(1)[0]!.question }]
const steps: RunRequestInput = {
  messages,
  sampling: { temperature: 0.6, seed: 3 },
  lookahead: { mode: 'lr+sd', depth: 4, verifier: 'judge' },
}
const recordings: Record<string, RunRequestInput> = {
  steps,
  plain: { messages, sampling: { temperature: 0 }, lookahead: { mode: 'ar' } },
  corrected: { ...steps, lookahead: { mode: 'lr+sd', depth: 2, verifier: 'exact', adaptive: false } },
  'cut-short': { ...steps, max_tokens: 24 },
  refused: { messages: [{ role: 'user', content: 'long '.repeat(3000) }] },
  prompt: { prompt: 'Step by step:', max_tokens: 16, sampling: { temperature: 0 }, lookahead: { mode: 'sd' } },
}

const stack = await startStack({ flags: ['--drain', '0'] })
try {
  const client = new Lookahead({ baseURL: stack.workerURL, maxRetries: 0 })
  for (const [name, request] of Object.entries(recordings)) await record(client, name, request)
  await record(client, 'failed', { ...steps, lookahead: { mode: 'ar' } }, () => stack.backend.stop())
} finally {
  await stack.stop()
}

/** @param onText called once, when the first text has come */
async function record(
  client: Lookahead,
  name: string,
  request: RunRequestInput,
  onText?: () => Promise<void>,
): Promise<void> {
  const events: RunEvent[] = []
  let stopped: Promise<void> | undefined
  try {
    for await (const event of client.runs.stream(request)) {
      events.push(event)
      if (event.type === 'text.delta') stopped ??= onText?.()
    }
  } catch (error) {
    if (!LookaheadError.isInstance(error) || error.kind !== 'run_failed') throw error
  }
  await stopped
  const last = events.at(-1)!
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ request, events }, null, 1)}\n`)
  console.log(`${name}: ${events.length} events, ${last.type}`)
}
