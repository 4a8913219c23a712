/** The AI SDK speaks to the worker: through its provider for OpenAI-compatible servers, and through ours. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { createLookahead, stepsAsData } from '@lookahead/sdk/ai-sdk'
import { generateText, streamText, toUIMessageStream } from 'ai'
import type { LanguageModel } from 'ai'
import { describe, expect, inject, it } from 'vitest'
import { backendHealth, problems } from './ask.ts'

const baseURL = inject('workerURL')
const lookahead = { mode: 'lr+sd', depth: 4, verifier: 'judge' } as const
const models: [string, LanguageModel][] = [
  [
    '@ai-sdk/openai-compatible',
    createOpenAICompatible({ name: 'lookahead', baseURL: `${baseURL}/v1` })('target:lr+sd'),
  ],
  ['@lookahead/sdk/ai-sdk', createLookahead({ baseURL })('target', lookahead)],
]
const ask = { prompt: problems[0]!.question, temperature: 0, maxOutputTokens: 400, maxRetries: 0 }

describe.each(models)('%s', (_, model) => {
  it('generates and streams the same text, thoughts apart', async () => {
    const whole = await generateText({ ...ask, model })
    expect(whole.text).toContain(`\\boxed{${problems[0]!.answer}}`)
    expect(whole.reasoningText!.length).toBeGreaterThan(20)
    expect(whole.usage.outputTokenDetails.reasoningTokens).toBeGreaterThan(20)
    expect(whole.finishReason).toBe('stop')
    const streamed = streamText({ ...ask, model })
    const seen = { text: '', reasoning: '' }
    for await (const part of streamed.stream) {
      if (part.type === 'text-delta') seen.text += part.text
      if (part.type === 'reasoning-delta') seen.reasoning += part.text
      if (part.type === 'error') throw part.error
    }
    expect(seen).toEqual({ text: whole.text, reasoning: whole.reasoningText })
    expect(await streamed.finishReason).toBe('stop')
  })

  it('names what was refused', async () => {
    const call = generateText({ ...ask, model, temperature: 9 })
    await expect(call).rejects.toMatchObject({ statusCode: 400, message: expect.stringContaining('temperature') })
  })

  it('frees the engine when it is aborted', async () => {
    const controller = new AbortController()
    const { stream } = streamText({
      ...ask,
      model,
      prompt: 'Count.',
      maxOutputTokens: 1900,
      temperature: 2,
      abortSignal: controller.signal,
    })
    for await (const { type } of stream) if (type === 'reasoning-delta') controller.abort()
    await expect.poll(async () => (await backendHealth()).running).toBe(0)
  })
})

it('our provider tells of every step: in the stream, in the result, and as data parts for a page', async () => {
  const result = streamText({ ...ask, model: createLookahead({ baseURL })('target', lookahead) })
  const [forUI, parts] = result.stream.tee()
  const chunks: { type: string; id?: string; data?: unknown }[] = []
  for await (const chunk of toUIMessageStream({ stream: forUI }).pipeThrough(stepsAsData())) chunks.push(chunk)
  const steps: unknown[] = []
  for await (const part of parts) if (part.type === 'custom') steps.push(part.providerMetadata?.['lookahead'])
  expect(steps).toContainEqual(expect.objectContaining({ type: 'step.accepted', step: 0 }))
  const first = chunks.filter(({ type, id }) => type === 'data-step' && id === 'step-0')
  expect(first.map(({ data }) => data)).toMatchObject([{ fate: 'drafted' }, { fate: 'accepted' }])
  const metadata = (await result.finalStep).providerMetadata
  expect(metadata?.['lookahead']).toMatchObject({ stats: { accepted_steps: expect.any(Number) } })
})
