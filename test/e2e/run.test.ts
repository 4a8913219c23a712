import type { RunResult } from '@lookahead/sdk'
import { isCorrect } from '@lookahead/gpu-backend/dataset'
import { isTerminal, modes } from '@lookahead/sdk/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { about, client, post, problems, readWire } from './ask.ts'

describe('a question', () => {
  it('is answered by verified steps that stream out as they are decided', async () => {
    const run = client.runs.stream(about(0, { lookahead: { mode: 'lr+sd' } }))
    const types: string[] = []
    for await (const event of run) types.push(event.type)
    const result = await run.final()

    expect(types[0]).toBe('run.started')
    expect(types).toContain('step.drafted')
    expect(types.indexOf('step.drafted')).toBeLessThan(types.indexOf('text.delta'))
    expect(types.filter((type) => type === 'text.delta').length).toBeGreaterThan(1)
    expect(result.finish_reason).toBe('stop')
    expect(result.stats.drafted_steps).toBeGreaterThan(0)
    expect(result.stats.accepted_steps).toBe(types.filter((type) => type === 'step.accepted').length)
    expect(result.usage.completion_tokens).toBe(result.stats.output_tokens)
  })

  it('is answered correctly, most of the time', async () => {
    const texts: string[] = []
    for (const at of problems.keys()) texts.push((await client.runs.stream(about(at)).final()).text)
    const correct = problems.filter((problem, at) => isCorrect(problem, texts[at]!))
    expect(correct.length).toBeGreaterThanOrEqual(3)
  })

  it('yields steps that join to the reasoning', async () => {
    const { steps, reasoning } = await client.runs.stream(about(1, { lookahead: { mode: 'lr+sd' } })).final()
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, at) => at))
    expect(steps.map(({ text }) => text).join('')).toContain(reasoning.trim())
  })

  it('with a verifier that the backend does not know fails, and says which there are', async () => {
    const run = client.runs.stream(about(1, { lookahead: { verifier: 'nobody' } }))
    const message = expect.stringMatching(/verifier.*exact.*judge/)
    await expect(run.final()).rejects.toMatchObject({ kind: 'api', code: 'invalid_request', message })
  })

  it.each(modes)('in mode %s ends with one terminal event; ids count from 0 without a gap', async (mode) => {
    const events = await readWire(await post(about(2, { lookahead: { mode } })))
    expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => String(at)))
    expect(events.map(({ event }) => event)).toEqual(events.map(({ data }) => data.type))
    expect(events.filter(({ data }) => isTerminal(data))).toHaveLength(1)
    expect(events.at(-1)?.data.type).toBe('run.completed')
    expect(events[0]?.data).toMatchObject({ type: 'run.started', mode })
  })
})

describe('fidelity', () => {
  it.each(problems.map((problem, at) => [problem.id, at] as const))(
    'with the exact verifier every mode writes what plain decoding writes: %s',
    async (_, at) => {
      const text = async (mode: (typeof modes)[number]) =>
        (await client.runs.stream(about(at, { lookahead: { mode, verifier: 'exact' } })).final()).text
      const plain = await text('ar')
      expect(plain).not.toBe('')
      for (const mode of ['sd', 'lr', 'lr+sd'] as const) expect(await text(mode), mode).toBe(plain)
    },
  )

  it.each([true, false])('so it does however steps end and tokens are guessed; pipelined: %s', async (pipelined) => {
    const run = (mode: (typeof modes)[number], more: object = {}) =>
      client.runs
        .stream(about(0, { max_tokens: 120, lookahead: { mode, verifier: 'exact', pipelined, ...more } }))
        .final()
    const plain = await run('ar')
    const steps = { delimiters: [','], sentences: true, max_tokens: 20, answer: { max_tokens: 1 } }
    const shortened = await run('lr+sd', { steps, tokens: { drafted: false, ngram: 2 }, coupled: true })
    expect(shortened.text).toBe(plain.text)
    expect(shortened.steps.every(({ text }) => !/, ./.test(text))).toBe(true)
    const whole = await run('lr+sd')
    expect(shortened.steps.length).toBeGreaterThan(whole.steps.length)
  })

  it.each(modes)('the same seed writes the same text in mode %s, another seed another', async (mode) => {
    const text = async (seed: number) => {
      const sampling = { temperature: 1, top_k: 0, top_p: 1, seed }
      const request = about(0, { sampling, max_tokens: 60, lookahead: { mode } })
      return (await client.runs.stream(request).final()).text
    }
    const first = await text(1)
    expect(await text(1)).toBe(first)
    expect(await Promise.all([2, 3, 4].map(text))).not.toEqual([first, first, first])
  })
})

it.each(modes)('a prompt that ends inside a think block is gone on with there in mode %s', async (mode) => {
  const prompt = `<|im_start|>user\n${problems[0]!.question}<|im_end|>\n<|im_start|>assistant\n<think>\nFirst`
  const { text, reasoning, answer, finish_reason } = await client.runs
    .stream({ prompt, sampling: { temperature: 0 }, lookahead: { mode } })
    .final()
  expect(finish_reason).toBe('stop')
  expect(reasoning.length).toBeGreaterThan(answer.length)
  expect(answer).toMatch(/^\S/)
  expect(text).not.toContain('think>')
})

describe('limits', () => {
  let whole: RunResult
  beforeAll(async () => void (whole = await client.runs.stream(about(0, { lookahead: { mode: 'ar' } })).final()))

  it.each(modes)('stops at max_tokens in mode %s', async (mode) => {
    const lookahead = { mode, verifier: 'exact' as const }
    const cut = await client.runs.stream(about(0, { max_tokens: 20, lookahead })).final()
    expect(cut.finish_reason).toBe('length')
    expect(cut.usage.completion_tokens).toBe(20)
    expect(whole.text.startsWith(cut.text)).toBe(true)
  })

  it.each(modes)('stops before a stop string in mode %s', async (mode) => {
    const lookahead = { mode, verifier: 'exact' as const }
    const { text, reasoning, answer } = whole
    const stop = answer.slice(4, 12)
    const cut = await client.runs.stream(about(0, { stop: ['\n\n', stop], lookahead })).final()
    expect(cut).toMatchObject({ finish_reason: 'stop', reasoning, answer: answer.slice(0, answer.indexOf(stop)) })

    const request = about(0, { stop: ['\n\n'], stop_in_reasoning: true, lookahead })
    expect(await client.runs.stream(request).final()).toMatchObject({
      finish_reason: 'stop',
      text: text.slice(0, text.indexOf('\n\n')),
    })
  })
})
