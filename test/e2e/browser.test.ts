import { describe, expect, inject, it } from 'vitest'
import { about, backendHealth } from './ask.ts'
import { chromium, inBrowser } from './browser.ts'

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
  it('reads a streamed chat, and the error of a refused one', async ({ signal }) => {
    const script = `
      const ask = (more: object) => fetch(${workerURL} + '/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'What is 2 + 2?' }], max_tokens: 8, stream: true, ...more }),
      })
      const response = await ask({})
      const text = await response.text()
      const refused = await ask({ tools: [{}] })
      const { error } = await refused.json()
      await report({ type: response.headers.get('content-type'), id: response.headers.get('x-request-id'), text, refused: [refused.status, error.param] })`
    const seen = (await inBrowser(script, signal)) as { type: string; id: string; text: string; refused: unknown[] }
    expect(seen).toMatchObject({ type: 'text/event-stream', id: expect.any(String), refused: [400, 'tools'] })
    expect(seen.text).toMatch(/"finish_reason":"length"[^]*data: \[DONE\]\n\n$/)
  })
})

/** Waits in the page until the text of an element is so; the page is the example, with its own root in StrictMode. */
const withPage = `
  import '../../sdk/examples/react/page.tsx'
  const at = (selector: string) => document.querySelector(selector) as HTMLElement | null
  const until = async (isSo: () => unknown) => { while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10)) }
  const classes = new Set<string>()
  new MutationObserver(() => { for (const { className } of document.querySelectorAll('li')) classes.add(className) })
    .observe(document, { subtree: true, childList: true, attributes: true })
  let requests = 0
  const { fetch } = globalThis
  globalThis.fetch = (...call) => (String(call[0]).includes('/v1/runs') && requests++, fetch(...call))
  await until(() => at('form'))
  at('button')!.click()
`
const query = `?worker=${encodeURIComponent(inject('workerURL'))}`

describe.skipIf(!chromium)('the React example in StrictMode', () => {
  it('asks once, shows steps as they are drafted and accepted, then the answer', async ({ signal }) => {
    const script = `${withPage}
      await until(() => !/idle|running/.test(at('[role=status]')!.textContent))
      const steps = [...document.querySelectorAll('li')].map((item) => item.className)
      await report({ requests, classes: [...classes], steps, answer: at('output')!.textContent })`
    const seen = (await inBrowser(script, signal, undefined, query)) as {
      requests: number
      classes: string[]
      steps: string[]
      answer: string
    }
    expect(seen).toMatchObject({ requests: 1, answer: expect.stringContaining('\\boxed') })
    expect(seen.classes).toEqual(expect.arrayContaining(['drafted', 'accepted']))
    expect(seen.steps).not.toContain('drafted')
  })

  it('stops the run on the GPU, and says so', async ({ signal }) => {
    const script = `${withPage}
      await until(() => at('li'))
      at('button[type=button]')!.click()
      await until(() => at('[role=status]')!.textContent !== 'running')
      await report(at('[role=status]')!.textContent)`
    await inBrowser(
      script,
      signal,
      async (value) => {
        expect(value).toBe('stopped')
        await expect.poll(async () => (await backendHealth()).running).toBe(0)
      },
      query,
    )
  })
})
