import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'

const models = path.join(import.meta.dirname, '../../models')
let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
})
afterAll(() => engine.close())
afterEach(() => {
  for (const { runner } of engine.runners) runner.kv.assertIdle()
})

const app = createApp({ engine: () => engine, draining: () => false })
const post = (url: string, body: object, on = app) => on.request(url, { method: 'POST', body: JSON.stringify(body) })

/** What /metrics says of one series now. */
async function value(series: string, on = app): Promise<number> {
  const text = await (await on.request('/metrics')).text()
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return Number(line?.split(' ').at(-1))
}

test('metrics count what was done', async () => {
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
  const accepted = await value('lookahead:spec_decode_num_accepted_tokens_total{model_name="target"}')
  expect(accepted).toBeGreaterThan(0)
  expect([...perPosition].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(accepted)
  const verdicts = text.matchAll(/step_verdicts_total\{.*\} (\d+)/g)
  expect([...verdicts].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1)
  expect(await value('lookahead:num_calls')).toBe(0)
  expect(await value('lookahead:num_requests_running{model_name="target"}')).toBe(0)
  expect(await value('lookahead:kv_cache_usage_perc{model_name="target"}')).toBe(0)
  expect(await value('lookahead:forwards_total{model_name="target"}')).toBeGreaterThan(0)
})

test('metrics tell of texts that share too few slots', async () => {
  const tight = await Engine.load({ models, slots: 300 })
  try {
    const on = createApp({ engine: () => tight, draining: () => false })
    const read = (names: readonly string[]) =>
      Promise.all(names.map((name) => value(`lookahead:${name}{model_name="target"}`, on)))
    const prompt = 'Ann has 12 apples and eats 3. '.repeat(3)
    const complete = (more: object) => post('/v1/completions', { prompt, ignore_eos: true, ...more }, on)
    const now = ['num_requests_running', 'num_requests_waiting', 'kv_cache_usage_perc']
    const many = await complete({ n: 8, max_tokens: 120, stream: true, speculation: { draft: 0, ngram: 0 } })
    const text = many.text()
    await expect.poll(async () => Math.min(...(await read(now))), { interval: 5 }).toBeGreaterThan(0)
    expect((await read(now))[2]).toBeLessThanOrEqual(1)
    await text
    expect(await read(now)).toEqual([0, 0, 0])

    const [preempted, evicted] = await read(['num_preemptions_total', 'prefix_cache_evictions_total'])
    expect(preempted).toBeGreaterThan(0)
    expect(evicted).toBeGreaterThan(0)
    const [useful, padded] = await read(['attention_useful_pairs_total', 'attention_padded_pairs_total'])
    expect(useful).toBeGreaterThan(0)
    expect(padded).toBeGreaterThan(useful!)

    await (await complete({ max_tokens: 1 })).text()
    const looked = ['prefix_cache_queries_total', 'prefix_cache_hits_total']
    const before = await read(looked)
    const again = (await (await complete({ max_tokens: 1 })).json()) as { usage: Usage }
    const { prompt_tokens, prompt_tokens_details } = again.usage
    const after = await read(looked)
    expect(prompt_tokens_details.cached_tokens).toBeGreaterThan(0)
    // The last token is run in any case, for what follows it.
    expect(after.map((count, i) => count - before[i]!)).toEqual([
      prompt_tokens - 1,
      prompt_tokens_details.cached_tokens,
    ])
    for (const { runner } of tight.runners) runner.kv.assertIdle()
  } finally {
    tight.close()
  }
})

interface Usage {
  prompt_tokens: number
  prompt_tokens_details: { cached_tokens: number }
}
