/** LangChain.js speaks to the worker. */
import { AIMessageChunk, HumanMessage } from '@langchain/core/messages'
import type { UsageMetadata } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { expect, inject, it } from 'vitest'
import { backendHealth, problems } from './ask.ts'

const options = { model: 'target:lr+sd', temperature: 0, maxTokens: 400, apiKey: 'none', maxRetries: 0 }
const configuration = { baseURL: `${inject('workerURL')}/v1` }
const model = new ChatOpenAI({ ...options, configuration })
const question = [new HumanMessage(problems[0]!.question)]

it('invokes and streams the same answer, with usage', async () => {
  const whole = await model.invoke(question)
  expect(whole.text).toContain(`\\boxed{${problems[0]!.answer}}`)
  const usage: UsageMetadata = whole.usage_metadata!
  expect(usage.output_token_details!.reasoning).toBeGreaterThan(20)
  expect(whole.additional_kwargs['reasoning_content']).toMatch(/\w/)
  let streamed = new AIMessageChunk('')
  for await (const chunk of await model.stream(question)) streamed = streamed.concat(chunk)
  expect(streamed.text).toBe(whole.text)
  expect(streamed.additional_kwargs['reasoning_content']).toBe(whole.additional_kwargs['reasoning_content'])
  expect(streamed.usage_metadata).toMatchObject({ output_tokens: usage.output_tokens })
})

it('names what was refused, and frees the engine when it is aborted', async () => {
  await expect(new ChatOpenAI({ ...options, configuration, n: 3 }).invoke(question)).rejects.toMatchObject({
    status: 400,
    param: 'n',
  })
  const controller = new AbortController()
  const endless = new ChatOpenAI({ ...options, configuration, maxTokens: 1900, temperature: 2 })
  const reading = (async () => {
    for await (const _ of await endless.stream([new HumanMessage('Count.')], { signal: controller.signal }))
      controller.abort()
  })()
  await reading.catch(() => undefined)
  await expect.poll(async () => (await backendHealth()).running).toBe(0)
})
