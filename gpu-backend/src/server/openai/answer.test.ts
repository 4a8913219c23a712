import path from 'node:path'
import { parseRequest } from '@lookahead/sdk/protocol'
import { expect, test } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { Calls } from '../calls.ts'
import { Metrics } from '../metrics.ts'
import { answer } from './answer.ts'
import { createJob } from './job.ts'
import { CompletionRequest } from './schemas.ts'
import { servedModel } from './served-model.ts'

test('others have a turn between the texts of a whole answer', async () => {
  const engine = await Engine.load({ models: path.join(import.meta.dirname, '../../../models'), slots: 1024 })
  let turn = 0
  let ticking: NodeJS.Immediate
  const tick = (): void => {
    turn++
    ticking = setImmediate(tick)
  }
  tick()
  try {
    const calls = new Calls()
    const service = { ready: () => engine, isGuarded: false, calls, metrics: new Metrics() }
    const request = parseRequest(CompletionRequest, { prompt: [[5]], n: 4 })
    const prompts = [{ tokens: [5], maxTokens: 1 }]
    const job = createJob(servedModel(engine, 'target'), request, prompts, {
      logprobs: undefined,
      promptLogprobs: undefined,
      perPromptToken: 0,
    })
    const dialect = {
      id: 'a',
      object: 'a',
      chunkObject: 'a',
      chunks: () => [],
      choice: ({ index }: { index: number }) => ({ index, turn }),
      extra: () => ({ more: 1 }),
    }
    const call = calls.begin({ connection: new AbortController().signal })
    const body: unknown = await (await answer(service, call, job, dialect, { stream: false })).json()
    const { choices } = body as { choices: { index: number; turn: number }[] }
    expect(body).toMatchObject({ object: 'a', usage: { completion_tokens: 4 }, more: 1 })
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(new Set(choices.map((choice) => choice.turn)).size).toBe(4)
  } finally {
    clearImmediate(ticking!)
    engine.close()
  }
})
