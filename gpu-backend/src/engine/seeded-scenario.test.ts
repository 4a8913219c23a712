/**
 * Many seeded texts at once on pools that are too small for them: each comes out as it does alone on as many slots, and
 * between any two forwards every slot has as many users as there are texts that hold it.
 */
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parseDraft, parseVerify } from '../../test/calls.ts'
import { testProblems } from '../../dataset/index.ts'
import { draft } from './decode/draft.ts'
import { Engine } from './engine.ts'
import { generate } from './decode/generate.ts'
import { neutralRules } from './sampling/logits.ts'
import { Random } from './sampling/random.ts'
import type { PreemptibleSequence } from './memory/slot-queue.ts'
import { Lease } from './memory/lease.ts'
import { verifySteps } from './decode/verify.ts'

const models = path.join(import.meta.dirname, '../../models')
const SLOTS = 330
const CLIENTS = 12
const TIMES = 3
const left = new Error('the client left')

let alone: Engine
let shared: Engine
beforeAll(async () => {
  alone = await Engine.load({ models, slots: SLOTS, batchTokens: 64 })
  shared = await Engine.load({ models, slots: SLOTS, batchTokens: 64 })
})
afterAll(() => {
  alone.close()
  shared.close()
})

/** What a client asks for: a text of one call, or one of as many cycles as it takes. */
interface Wish {
  question: string
  seed: number
  maxTokens: number
  /** Steps drafted in each cycle; undefined is one call of `generate`. */
  depth: number | undefined
  /** Alternatives for each. */
  width: number
  ngram: number
  draft: number
}

/** How a client reads: asked before each event. @throws when it leaves */
type Reader = () => Promise<void>

async function* tokensOf(engine: Engine, id: string, wish: Wish, signal: AbortSignal): AsyncGenerator<number[]> {
  const { question, seed, maxTokens, depth, width, ngram } = wish
  const sampling = { temperature: 1, seed }
  const messages = [{ role: 'user' as const, content: question }]
  if (depth === undefined) {
    const { tokenizer } = engine.target.model
    const prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
    const rules = { sampling, rules: neutralRules, stop: [], stopTokens: new Set<number>(), logprobs: undefined }
    const flags = { ignoreEndOfText: false, includeStop: false, skipSpecial: true }
    const request = { runner: engine.target, prompt, maxTokens, ...rules, ...flags, ngram, draft: wish.draft }
    for await (const { tokens } of generate(engine, request, signal)) yield tokens
    return
  }
  const output: number[] = []
  for (;;) {
    const context = { id, messages, ...(output.length > 0 && { output }) }
    const drafting = parseDraft({ context, depth: Math.max(depth, 1), width, sampling })
    const steps: { id: string; text: string; alternatives: { id: string; text: string }[] }[] = []
    if (depth > 0)
      for await (const event of draft(engine, await engine.context(context), drafting, signal)) {
        if (event.type === 'step') {
          const { id: step, text, alternative } = event
          if (alternative) steps.at(-1)!.alternatives.push({ id: step, text })
          else steps.push({ id: step, text, alternatives: [] })
        }
        yield []
      }
    const verify = parseVerify({
      context: depth > 0 ? { id, length: output.length } : context,
      steps,
      max_tokens: maxTokens - output.length,
      verifier: 'exact',
      speculation: { ngram, draft: wish.draft },
      sampling,
    })
    let isDone = false
    for await (const event of verifySteps(engine, await engine.context(verify.context), verify, signal)) {
      if (event.type !== 'commit') {
        yield []
        continue
      }
      output.push(...event.tokens)
      isDone = event.finish !== undefined
      yield [...event.tokens]
    }
    if (isDone) return
  }
}

/** The tokens that a client gets before it leaves or the text ends. */
async function read(engine: Engine, id: string, wish: Wish, abort: AbortController, reader: Reader): Promise<number[]> {
  const all: number[] = []
  try {
    for await (const tokens of tokensOf(engine, id, wish, abort.signal)) {
      all.push(...tokens)
      await reader()
    }
  } catch (error) {
    if (error !== left) throw error
  } finally {
    engine.contexts.drop(id)
  }
  return all
}

/** Checks the slots of each model whenever it begins a forward. @returns how many it began, and what was wrong first */
function watchSlots(engine: Engine) {
  const watch = { forwards: 0, wrong: undefined as unknown }
  for (const { runner } of engine.runners) {
    const { model, kv } = runner
    const { queue, pool, prefixes } = kv
    const texts = new Set<PreemptibleSequence>()
    const wait = queue.wait.bind(queue)
    const takeNow = queue.takeNow.bind(queue)
    const forward = model.forward.bind(model)
    vi.spyOn(queue, 'wait').mockImplementation((text, signal) => {
      texts.add(text)
      return wait(text, signal)
    })
    vi.spyOn(queue, 'takeNow').mockImplementation((text) => {
      texts.add(text)
      takeNow(text)
    })
    vi.spyOn(model, 'forward').mockImplementation((rows) => {
      watch.forwards++
      try {
        pool.check([...texts].flatMap(slotsOf), prefixes.slots())
      } catch (error) {
        watch.wrong ??= error
      }
      return forward(rows)
    })
  }
  return watch
}

/** What a text holds: nothing, once it has ended. */
function slotsOf(text: PreemptibleSequence): number[][] {
  if (!(text instanceof Lease)) throw new TypeError('only texts share slots')
  return text.tree.runs.map((run) => run.slots)
}

test('seeded texts that share too few slots, with clients that leave or read slowly', async () => {
  // SCENARIO=2, 3, ... tries others.
  const random = new Random(Number(process.env.SCENARIO ?? 1))
  const upTo = (n: number): number => Math.floor(random.next() * n)
  const questions = testProblems(6).map((problem) => problem.question)
  const wishes = Array.from({ length: 10 }, (_, seed): Wish => {
    const depth = [undefined, 0, 1, 3][upTo(4)]
    const most = { ngram: [0, 4, 8][upTo(3)]!, draft: [0, 4, 16][upTo(3)]! }
    const width = [1, 2, 4][upTo(3)]!
    return { question: questions[upTo(6)]!, seed, maxTokens: 30 + upTo(120), depth, width, ...most }
  })
  const patient = async (): Promise<void> => {}
  const expected: number[][] = []
  for (const wish of wishes) expected.push(await read(alone, 'alone', wish, new AbortController(), patient))
  const ends = { whole: 0, left: 0 }
  const watch = watchSlots(shared)
  const client = async (name: number): Promise<void> => {
    for (let times = 0; times < TIMES; times++) {
      const which = upTo(wishes.length)
      const abort = new AbortController()
      const isSlow = upTo(4) === 0
      const leavesBy = upTo(3) === 0 ? (['return', 'abort'] as const)[upTo(2)] : undefined
      let patience = leavesBy ? upTo(20) : Infinity
      const tokens = await read(shared, `client ${name}`, wishes[which]!, abort, async () => {
        if (isSlow) await setTimeout(upTo(30))
        if (patience-- > 0) return
        if (leavesBy === 'return') throw left
        abort.abort(left)
      })
      const whole = expected[which]!
      if (tokens.length < whole.length) expect(leavesBy, JSON.stringify(wishes[which])).toBeDefined()
      expect(tokens, JSON.stringify(wishes[which])).toEqual(whole.slice(0, tokens.length))
      ends[tokens.length < whole.length ? 'left' : 'whole']++
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)))
  expect(watch.wrong).toBeUndefined()
  expect(watch.forwards).toBeGreaterThan(100)
  for (const { runner } of shared.runners) {
    runner.kv.assertIdle()
    expect(runner.stats).toMatchObject({ running: 0, waiting: 0 })
  }
  expect(Math.min(ends.whole, ends.left)).toBeGreaterThan(0)
  const preemptions = shared.runners.map(({ runner }) => runner.stats.preemptions)
  expect(Math.max(...preemptions)).toBeGreaterThan(0)
})
