/** Decision models: how many steps they are asked about at a time, in which shape, and what their answers mean. */
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { askDecisions, askSystemOne } from './decisions.ts'
import { Server } from './server.ts'

const network = setupServer()
beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const { signal } = new AbortController()
const pairsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    target: `Target ${i}.`,
    draft: `Draft ${i}.`,
    context: { question: 'How many?', before: `Before ${i}.` },
  }))

interface Asked {
  model: string
  state?: string
  questions: Record<string, { instructions: string }>
}

let judges = 0
const judge = (model = 'judge') =>
  new Server('judge', { url: `http://judge-${++judges}.test/v1`, model }, { timeoutMs: 1000 })

/** Answers at whatever path, and keeps what was asked. */
function answers(answer: (asked: Asked) => object | number): (Asked & { path: string })[] {
  const all: (Asked & { path: string })[] = []
  network.use(
    http.post('http://*', async ({ request }) => {
      const asked = (await request.json()) as Asked
      all.push({ ...asked, path: new URL(request.url).pathname })
      const said = answer(asked)
      if (typeof said === 'number') return HttpResponse.json({ error: { message: 'no' } }, { status: said })
      return HttpResponse.json(said)
    }),
  )
  return all
}

/** The number of a step is told by its probability. */
const numbered = ({ questions }: Asked) =>
  Object.entries(questions).map(([id, { instructions }]) => {
    const same = Number(/Draft (\d+)/.exec(instructions)![1]) / 1000
    return [id, { type: 'choice', probabilities: { same, different: 1 - same } }] as const
  })
const systemOne = (asked: Asked) => ({ answers: Object.fromEntries(numbered(asked)) })
const decisions = (asked: Asked) => ({
  answers: numbered(asked).map(([, { probabilities }]) => ({
    type: 'choice',
    probabilities: Object.entries(probabilities).map(([value, probability]) => ({ value, probability })),
  })),
})

describe.each([
  ['systemone', askSystemOne, systemOne],
  ['decisions', askDecisions, decisions],
] as const)('%s', (_, ask, answer) => {
  test.each([1, 64, 65, 128, 130])('%i steps: no request has more than 64 of them', async (count) => {
    const asked = answers(answer)
    const told = await ask(judge())(pairsOf(count), signal)
    const sizes = asked.map(({ questions }) => Object.keys(questions).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64)
    expect(sizes.length).toBe(Math.ceil(count / 64))
    expect(told).toEqual(pairsOf(count).map((__, i) => expect.closeTo(i / 1000, 9)))
  })

  test('a request that fails leaves its own steps open, and is logged', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    onTestFinished(() => log.mockRestore())
    answers((asked) => (JSON.stringify(asked).includes('Draft 64.') ? 422 : answer(asked)))
    const told = await ask(judge())(pairsOf(130), signal)
    expect(told.map((one) => one !== undefined)).toEqual(pairsOf(130).map((__, i) => i < 64 || i >= 128))
    expect(log.mock.calls.join()).toContain('verifier.failed')
  })

  test('where all fail, the first failure is told', async () => {
    answers(() => 422)
    await expect(ask(judge())(pairsOf(70), signal)).rejects.toMatchObject({ status: 422 })
  })

  test('what was not answered, or refused, is no', async () => {
    answers((asked) => ({ answers: Array.isArray(asked.questions) ? [{ type: 'refusal' }] : {} }))
    expect(await ask(judge())(pairsOf(2), signal)).toEqual([false, false])
  })
})

describe('Workers AI', () => {
  test('is asked by the name of its model, and its envelope is opened', async () => {
    const asked = answers((body) => ({ success: true, errors: [], messages: [], result: systemOne(body) }))
    const told = await askSystemOne(judge('@cf/cloudflare/clef-flash'))(pairsOf(3), signal)
    expect(told).toEqual([0, 0.001, 0.002])
    expect(asked).toMatchObject([{ path: '/v1/run/@cf/cloudflare/clef-flash', model: 'clef-flash' }])
  })

  test('that failed all the same is no answer', async () => {
    answers(() => ({ success: false, errors: [{ code: 3036, message: 'quota' }], result: null }))
    const told = askSystemOne(judge('@cf/cloudflare/clef-flash'))(pairsOf(1), signal)
    await expect(told).rejects.toMatchObject({ code: 'bad_answer' })
  })
})
