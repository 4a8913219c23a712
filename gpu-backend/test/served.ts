/** A real backend for the tests of its routes. After each test nothing may stand in its slots. */
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { forget } from './calls.ts'
import { Engine } from '../src/engine/engine.ts'
import { createApp } from '../src/server/app.ts'

export const models = path.join(import.meta.dirname, '../models')
export let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
})
afterAll(() => engine.close())
afterEach(() => forget(engine))

export const app = createApp({ engine: () => engine, draining: () => false })
export const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
export const post = (url: string, body: object, on = app) =>
  on.request(url, { method: 'POST', body: JSON.stringify(body) })

export async function answer<T>(url: string, body: object, on = app): Promise<T> {
  const response = await post(url, body, on)
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

export interface Completion {
  choices: { index: number; text: string; finish_reason: string; token_ids: number[]; prompt_token_ids: number[] }[]
  usage: {
    prompt_tokens: number
    completion_tokens: number
    total_tokens: number
    prompt_tokens_details: { cached_tokens: number }
  }
}

export const complete = (body: object) =>
  answer<Completion>('/v1/completions', { model: 'draft', temperature: 0, ...body })

export const someTokens = (length: number): number[] => Array.from({ length }, (_, i) => i % 1000)
