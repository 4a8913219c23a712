/** Many calls at once on pools that are too small for them: whatever happens, no slot is lost and no text is changed. */
import path from 'node:path'
import type { DraftEvent, VerifyEvent } from './events.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseDraft, parseVerify } from '../../test/calls.ts'
import { testProblems } from '../../dataset/index.ts'
import { draft } from './decode/draft.ts'
import { Engine } from './engine.ts'
import { promptLogprobs } from './decode/prompt-logprobs.ts'
import { Random } from './sampling/random.ts'
import { verifySteps } from './decode/verify.ts'

const models = path.join(import.meta.dirname, '../../models')
const questions = testProblems(5).map((problem) => problem.question)
const sampling = { temperature: 0 }
const MAX_TOKENS = 60
const left = new Error('the client left')

let roomy: Engine
let tight: Engine
beforeAll(async () => {
  roomy = await Engine.load({ models, slots: 4096 })
  tight = await Engine.load({ models, slots: 340, batchTokens: 64 })
})
afterAll(() => {
  roomy.close()
  tight.close()
})

/** Reads a call's events; the client leaves when its time has come. */
async function read<E extends DraftEvent | VerifyEvent>(events: AsyncGenerator<E>, stay: () => boolean): Promise<E[]> {
  const all: E[] = []
  for await (const event of events) {
    if (!stay()) throw left
    all.push(event)
  }
  return all
}

/** The cycle, as the worker runs it, with the exact verifier. @param stay asked at every event and before every call */
async function run(
  engine: Engine,
  id: string,
  question: string,
  depth: number,
  stay: () => boolean,
  abort?: AbortController,
) {
  const signal = abort?.signal ?? new AbortController().signal
  const output: number[] = []
  const first = { id, messages: [{ role: 'user' as const, content: question }] }
  for (;;) {
    const whole = output.length > 0 ? { ...first, output } : first
    const request = parseDraft({ context: whole, depth: Math.max(depth, 1), sampling })
    const drafting = depth > 0 ? draft(engine, await engine.context(request.context), request, signal) : none()
    const steps = (await read(drafting, stay)).flatMap((event) => (event.type === 'step' ? [event] : []))
    const verify = parseVerify({
      context: depth > 0 ? { id, length: output.length } : whole,
      steps: steps.map((step) => ({ id: step.id, text: step.text })),
      max_tokens: MAX_TOKENS - output.length,
      verifier: 'exact',
      sampling,
    })
    const verification = verifySteps(engine, await engine.context(verify.context), verify, signal)
    const commit = (await read(verification, stay)).find((event) => event.type === 'commit')!
    output.push(...commit.tokens)
    if (commit.finish) return output
  }
}

/** The log probabilities of a question's tokens. */
async function measure(engine: Engine, question: string, signal: AbortSignal): Promise<number[]> {
  const prompt = engine.target.model.tokenizer.encode(question)
  const tokens = await promptLogprobs(engine.target, prompt, { most: 0, signal })
  return tokens.map(({ logprob }) => logprob)
}

async function* none(): AsyncGenerator<DraftEvent> {}

test('random calls that end in every way', async () => {
  const random = new Random(1)
  const upTo = (n: number): number => Math.floor(random.next() * n)
  const reference = new Map<string, number[]>()
  for (const question of questions) reference.set(question, await run(roomy, 'reference', question, 0, () => true))
  const measured = new Map<string, number[]>()
  const { signal } = new AbortController()
  for (const question of questions) measured.set(question, await measure(roomy, question, signal))
  const ends = { whole: 0, left: 0, aborted: 0, measured: 0 }
  const client = async (name: number): Promise<void> => {
    for (let times = 0; times < 10; times++) {
      const question = questions[upTo(questions.length)]!
      const abort = new AbortController()
      let patience = upTo(3) === 0 ? upTo(12) : Infinity
      const leaves = upTo(2) === 0
      const stay = (): boolean => {
        if (patience-- > 0) return true
        if (leaves) return false
        abort.abort(left)
        return true
      }
      try {
        if (upTo(3) === 0) {
          const reads = measure(tight, question, abort.signal)
          if (upTo(3) === 0) setTimeout(() => abort.abort(left), upTo(20))
          for (const [i, logprob] of (await reads).entries())
            expect(logprob).toBeCloseTo(measured.get(question)![i]!, 3)
          ends.measured++
        }
        const output = await run(tight, `client ${name}`, question, upTo(4), stay, abort)
        expect(output).toEqual(reference.get(question))
        ends.whole++
      } catch (error) {
        if (error === left) ends[leaves ? 'left' : 'aborted']++
        else throw error
      }
    }
  }
  await Promise.all(Array.from({ length: 5 }, (_, name) => client(name)))
  for (const { runner } of tight.runners) runner.kv.assertIdle()
  expect(Math.min(...Object.values(ends)), JSON.stringify(ends)).toBeGreaterThan(0)
  expect(tight.stats.target!.evictions).toBeGreaterThan(0)
  expect(tight.stats.target!.running).toBe(0)
})
