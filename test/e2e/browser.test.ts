import { describe, expect, inject, it } from 'vitest'
import { about, backendHealth } from './ask.ts'
import { chromium, inBrowser } from './browser.ts'

const workerURL = JSON.stringify(inject('workerURL'))

// The origin of the page is not the worker's, so these need the worker's CORS headers too.
describe.skipIf(!chromium)('the SDK in Chromium', () => {
  it('streams a run to its answer', async ({ signal }) => {
    const script = `
      import { Lookahead } from '@lookahead/sdk'
      const run = new Lookahead({ baseURL: ${workerURL} }).runs.stream(${JSON.stringify(about(0))})
      const types: Record<string, number> = {}
      for await (const { type } of run) types[type] = (types[type] ?? 0) + 1
      const { text, usage } = await run.final()
      await report({ types, text, tokens: usage.completion_tokens })`
    const seen = (await inBrowser(script, signal)) as { types: Record<string, number>; text: string; tokens: number }
    expect(seen).toMatchObject({
      types: { 'run.started': 1, 'run.completed': 1 },
      text: expect.stringMatching(/\\boxed/),
    })
    expect(seen.types['step.accepted']).toBeGreaterThan(0)
    expect(seen.types['text.delta']).toBeGreaterThan(1)
    expect(seen.tokens).toBeGreaterThan(20)
  })

  it('reads the error object of a refused request', async ({ signal }) => {
    const script = `
      import { Lookahead } from '@lookahead/sdk'
      const run = new Lookahead({ baseURL: ${workerURL} }).runs.stream({ prompt: 'x', sampling: { temperature: 9 } })
      await run.final().catch(({ kind, status, param }) => report({ kind, status, param }))`
    expect(await inBrowser(script, signal)).toEqual({ kind: 'api', status: 400, param: 'sampling.temperature' })
  })

  it('stops the run on the GPU when the page stops reading', async ({ signal }) => {
    const request = about('Count as far as you can.', { lookahead: { mode: 'ar' } })
    const script = `
      import { Lookahead } from '@lookahead/sdk'
      const run = new Lookahead({ baseURL: ${workerURL} }).runs.stream(${JSON.stringify(request)})
      for await (const event of run) if (event.type === 'text.delta') break
      await report('left')
      await new Promise(() => {})`
    await inBrowser(script, signal, async (value) => {
      expect(value).toBe('left')
      await expect.poll(async () => (await backendHealth()).running).toBe(0)
    })
  })
})
