/** What runs on other engines tell of their judge, and Workers AI as one. */
import type { RunEvent } from '@lookahead/sdk/protocol'
import { HttpResponse, http } from 'msw'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import { handlersOf } from './fake-engine.ts'
import { engine, network, run } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const SAYS = 'We know 3 shells.\n\nTwo more make 3+2 = 5.\n\nThe answer is 5.'
const DRAFTS = 'We know 3 shells.\n\nWith 2 more it is 3+2 = 5.\n\nThe answer is 5.'
const DRAFTED = 'With 2 more it is 3+2 = 5.\n\n'
const OWN = 'Two more make 3+2 = 5.\n\n'

/** Of the one step that the judge is asked about. */
const verdictOn = (events: readonly RunEvent[]) =>
  events.find((event) => (event.type === 'step.accepted' || event.type === 'step.rejected') && event.text === DRAFTED)

let judges = 0
async function judged(answer: (body: object) => object): Promise<RunEvent | undefined> {
  const judge = `http://telling-${++judges}.test/v1`
  const answering = http.post(`${judge}/chat/completions`, async ({ request }) =>
    HttpResponse.json({ choices: [answer((await request.json()) as object)] }),
  )
  const engines = { target: engine('vllm', SAYS), draft: engine('vllm', DRAFTS), judge }
  return verdictOn((await run(engines, { verifier: 'judge' }, {}, [answering])).events)
}

const likely = (yes: number, no: number) => () => {
  const top_logprobs = Object.entries({ yes, ' No': no, hm: 0.1 }).map(([token, p]) => ({
    token,
    logprob: Math.log(p),
  }))
  return { message: { content: 'yes' }, logprobs: { content: [{ token: 'yes', top_logprobs }] } }
}

describe('a verdict of a judge', () => {
  test('tells how probable it found that both mean the same, and of an accepted step the target’s own', async () => {
    const probability = expect.closeTo(0.8, 9) as number
    expect(await judged(likely(0.6, 0.15))).toMatchObject({ type: 'step.accepted', probability, target: OWN })
    const no = await judged(likely(0.15, 0.6))
    expect(no).toMatchObject({ type: 'step.rejected', reason: 'judge', probability: expect.closeTo(0.2, 9) as number })
    expect(no).not.toHaveProperty('target')
  })

  test('of equals is no', async () => {
    expect(await judged(likely(0.4, 0.4))).toMatchObject({ type: 'step.rejected', probability: 0.5 })
  })

  test('that says a word alone tells no probability', async () => {
    const yes = await judged(() => ({ message: { content: 'Yes.' } }))
    expect(yes).toMatchObject({ type: 'step.accepted', reason: 'judge', target: OWN })
    expect(yes).not.toHaveProperty('probability')
  })
})

describe('Workers AI by its binding is a judge', () => {
  interface Asked {
    model: string
    questions: Record<string, unknown>
  }

  async function events(AI: object): Promise<RunEvent[]> {
    const [target, draft] = [engine('vllm', SAYS), engine('vllm', DRAFTS)]
    network.use(...[target, draft].flatMap((one) => handlersOf(one, [])))
    const env = {
      ENGINE: 'openai',
      TARGET_URL: target.url,
      TARGET_MODEL: 'big',
      DRAFT_URL: draft.url,
      DRAFT_MODEL: 'small',
      JUDGE_MODEL: '@cf/cloudflare/clef-flash',
      JUDGE_PROTOCOL: 'systemone',
      AI,
    }
    const body = JSON.stringify({
      messages: [{ role: 'user', content: 'How many?' }],
      sampling: { temperature: 0 },
      lookahead: { mode: 'lr', depth: 3, verifier: 'judge' },
    })
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
    const answer = await app.request('/v1/runs', { method: 'POST', body }, env, context)
    const lines = (await answer.text()).split('\n').filter((line) => line.startsWith('data: {'))
    return lines.map((line) => JSON.parse(line.slice('data: '.length)) as RunEvent)
  }

  test('that is asked by the model’s name, without an address', async () => {
    const asked: [string, Asked][] = []
    const AI = {
      run: async (model: string, input: Asked) => {
        asked.push([model, input])
        const probabilities = { same: 0.9, different: 0.1 }
        return { answers: Object.fromEntries(Object.keys(input.questions).map((id) => [id, { probabilities }])) }
      },
    }
    const probability = expect.closeTo(0.9, 9) as number
    expect(verdictOn(await events(AI))).toMatchObject({ type: 'step.accepted', probability, target: OWN })
    expect(asked).toMatchObject([['@cf/cloudflare/clef-flash', { model: 'clef-flash', state: expect.any(String) }]])
  })

  test('that fails closed: the run goes on with the target', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    onTestFinished(() => log.mockRestore())
    const AI = { run: () => Promise.reject(new Error('3036: you have used up your daily allocation')) }
    const told = await events(AI)
    expect(verdictOn(told)).toMatchObject({ type: 'step.rejected', reason: 'judge_failed' })
    expect(told.at(-1)).toMatchObject({ type: 'run.completed' })
    expect(log.mock.calls.join()).toContain('3036: you have used up')
  })
})
