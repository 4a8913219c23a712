import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 4096 })
})
afterAll(() => engine.close())

const app = createApp({ engine: () => engine, draining: () => false })
const post = (url: string, body: object) => app.request(url, { method: 'POST', body: JSON.stringify(body) })

test('metrics count what was done', async () => {
  const value = async (series: string) => {
    const text = await (await app.request('/metrics')).text()
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    )
  }
  const written = 'lookahead:generation_tokens_total{model_name="draft"}'
  const ended = 'lookahead:request_success_total{model_name="draft",finished_reason="length"}'
  expect([await value(written), await value(ended)]).toEqual([0, 0])
  const completed = await post('/v1/completions', { prompt: ['a', 'b'], n: 2, model: 'draft' })
  const { usage } = (await completed.json()) as { usage: { prompt_tokens: number; completion_tokens: number } }
  expect([await value(written), await value(ended)]).toEqual([usage.completion_tokens, 4])
  expect(await value('lookahead:prompt_tokens_total{model_name="draft"}')).toBe(usage.prompt_tokens)
  expect(await value('lookahead:time_to_first_token_seconds_count{model_name="draft"}')).toBe(4)
  expect(await value('lookahead:inter_token_latency_seconds_count{model_name="draft"}')).toBe(
    usage.completion_tokens - 4,
  )

  const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
  const context = { id: 'counted', messages }
  await (await post('/v1/draft', { context, depth: 2 })).text()
  const steps = [{ text: 'Something that no model would say here.\n\n' }]
  const verify = { context: { id: 'counted', length: 0 }, steps, max_tokens: 20 }
  await (await post('/v1/verify', verify)).text()
  expect(await value('lookahead:steps_drafted_total')).toBe(2)
  expect(await value('lookahead:generation_tokens_total{model_name="target"}')).toBeGreaterThan(0)
  expect(await value('lookahead:spec_decode_num_draft_tokens_total{model_name="target"}')).toBeGreaterThan(0)
  const text = await (await app.request('/metrics')).text()
  const perPosition = text.matchAll(
    /spec_decode_num_accepted_tokens_per_pos_total\{model_name="target",position="\d+"\} (\d+)/g,
  )
  expect([...perPosition].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(
    await value('lookahead:spec_decode_num_accepted_tokens_total{model_name="target"}'),
  )
  const verdicts = text.matchAll(/step_verdicts_total\{.*\} (\d+)/g)
  expect([...verdicts].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1)
  expect(await value('lookahead:num_calls')).toBe(0)
  expect(await value('lookahead:num_requests_running{model_name="target"}')).toBe(0)
  expect(await value('lookahead:kv_cache_usage_perc{model_name="target"}')).toBe(0)
  expect(await value('lookahead:forwards_total{model_name="target"}')).toBeGreaterThan(0)
})
