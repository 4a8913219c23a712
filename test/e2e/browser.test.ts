import { describe, expect, inject, it } from 'vitest'
import { about, backendHealth } from './ask.ts'
import { chromium, inBrowser } from './browser.ts'
import { inTab } from './devtools.ts'
import type { Tab } from './devtools.ts'

const workerURL = JSON.stringify(inject('workerURL'))

// The origin of the page is not the worker's, so these need the worker's CORS headers too.
describe.skipIf(!chromium)('the SDK in Chromium', () => {
  it('streams a run to its answer', async ({ signal }) => {
    const script = `
      import { Lookahead } from '@lookahead/sdk'
      const run = new Lookahead({ baseURL: ${workerURL} }).runs.stream(${JSON.stringify(about(0, { lookahead: { mode: 'lr+sd', verifier: 'judge' } }))})
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

describe.skipIf(!chromium)('a page without the SDK', () => {
  /** In the page: asks the worker, and hands out the answer. */
  const ask = `(more, signal) => fetch(${workerURL} + '/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'What is 2 + 2?' }], max_tokens: 8, ...more }),
    signal,
  })`

  it('reads a chat as a stream and in one piece, and the error of a refused one', async ({ signal }) => {
    const script = `
      const ask = ${ask}
      const response = await ask({ stream: true })
      const text = await response.text()
      const whole = await (await ask({})).json()
      const refused = await ask({ tools: [{}] })
      const { error } = await refused.json()
      const { headers } = response
      await report({ type: headers.get('content-type'), id: headers.get('x-request-id'), text, whole, refused: [refused.status, error.param] })`
    const seen = (await inBrowser(script, signal)) as { text: string }
    expect(seen).toMatchObject({
      type: 'text/event-stream',
      id: expect.any(String),
      whole: { choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 8 } },
      refused: [400, 'tools'],
    })
    expect(seen.text).toMatch(/"finish_reason":"length"[^]*data: \[DONE\]\n\n$/)
  })

  it.each([true, false])('frees the engine when it leaves; streaming: %s', async (stream) => {
    const endless = JSON.stringify({ max_tokens: 1900, temperature: 2, lookahead: { mode: 'ar' }, stream })
    const running = () => expect.poll(async () => (await backendHealth()).running)
    const see = async (tab: Tab) => {
      // Its value is none, or it would be waited for.
      await tab.evaluate(`{
        window.controller = new AbortController()
        const asked = (${ask})(${endless}, controller.signal)
        window.told = asked.then((response) => response.text()).catch(({ name }) => name)
        undefined
      }`)
      await running().toBe(1)
      await tab.evaluate('controller.abort()')
      expect(await tab.evaluate('told')).toBe('AbortError')
      await running().toBe(0)
    }
    // Any page of another origin.
    await inTab(`${inject('backendURL')}/health`, see)
  })
})
