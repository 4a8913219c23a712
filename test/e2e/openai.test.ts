/** The backend's errors and models are read by OpenAI's own client. */
import OpenAI, { BadRequestError } from 'openai'
import { expect, inject, it } from 'vitest'

const client = new OpenAI({ baseURL: `${inject('backendURL')}/v1`, apiKey: 'none', maxRetries: 0 })

it('lists the models', async () => {
  const ids: string[] = []
  for await (const model of client.models.list()) ids.push(model.id)
  expect(ids).toEqual(['target', 'draft', 'judge'])
})

it('throws its own error with the field at fault', async () => {
  const request = client.post('/draft', { body: { context: { id: 'a', prompt: 'x' }, depth: 0 } })
  await expect(request).rejects.toThrow(BadRequestError)
  await expect(request).rejects.toMatchObject({ status: 400, param: 'depth', code: 'invalid_request' })
})
