/** What a cycle says that its phases took, by a clock that only forwards move. */
import { beforeEach, expect, test, vi } from 'vitest'
import { follow, parseDraft, unaided } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import { draft } from './decode/draft.ts'
import type { Done } from './events.ts'

const stage = stageEngine({})
const prompt = 'Tell me of all the animals that live here.\n'
const texts = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.\n\n', 'Four fish.']
/** Milliseconds that every forward takes. */
const TARGET_MS = 10
const DRAFT_MS = 100

let now = 0
beforeEach(() => {
  now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})

function animals() {
  const takes = (ms: number) => () => Promise.resolve(void (now += ms))
  const staged = { target: stage.writes('target', prompt, texts), draft: stage.writes('draft', prompt, texts) }
  staged.target.before = takes(TARGET_MS)
  staged.draft.before = takes(DRAFT_MS)
  return staged
}

/** Tokens of the prompt that a model's first forward reads besides the last, whose scores are wanted. */
const read = () => stage.engine.target.model.tokenizer.encode(prompt).length - 1

async function cyclesOf(overlap: boolean) {
  const request = { verifier: 'exact', speculation: unaided, sampling: { temperature: 0 }, max_tokens: 100 }
  const events = await follow(stage.engine, { prompt }, { ...request, depth: 2, overlap })
  return events.flatMap((event) => (event.type === 'cycle' ? [event.work] : []))
}

test('reading the prompt is told apart from the rest of the first cycle, of target and draft', async () => {
  const { target, draft: drafted } = animals()
  const cycles = await cyclesOf(false)
  const [first, ...later] = cycles
  const tokens = target.forwards[0]!.reduce((sum, row) => sum + row.tokens.length, 0)
  expect(tokens).toBeGreaterThan(read() + 1)
  expect(first!.promptMs).toBeCloseTo((TARGET_MS * read()) / tokens, 6)
  expect(later.map(({ promptMs }) => promptMs)).toEqual(later.map(() => 0))
  for (const { targetMs, forwards } of cycles) expect(targetMs).toBe(TARGET_MS * forwards)
  // One forward of the draft reads the prompt, and gives the first token; it may be at work before it is waited for.
  const waited = cycles.reduce((sum, { waitMs }) => sum + waitMs!, 0)
  const own = DRAFT_MS * (drafted.forwards.length - read() / (read() + 1))
  expect(waited).toBeGreaterThan(own - DRAFT_MS - 1e-6)
  expect(waited).toBeLessThan(own + 1e-6)
})

test('in turns, a cycle waits for the draft’s own forwards, and takes no more than its phases', async () => {
  animals()
  const [first, second] = await cyclesOf(false)
  expect(second!.totalMs).toBeCloseTo(second!.waitMs! + second!.targetMs + second!.judgeMs, 6)
  expect(first!.totalMs).toBeGreaterThan(first!.waitMs! + first!.targetMs)
})

test('what a text takes of forwards that it shares is told without its prompt', async () => {
  animals()
  const [first] = await cyclesOf(false)
  expect(first!.shareMs).toBeCloseTo(first!.waitMs! + first!.targetMs - first!.promptMs, 6)
})

test('a draft call tells what it took to read the text before', async () => {
  const { draft: drafted } = animals()
  const request = parseDraft({ context: { id: 'r', prompt }, depth: 2, sampling: { temperature: 0 } })
  const context = await stage.engine.context(request.context)
  const never = new AbortController().signal
  let done: Done | undefined
  for await (const event of draft(stage.engine, context, request, never)) if (event.type === 'done') done = event
  expect(done!.work.promptMs).toBeCloseTo((DRAFT_MS * read()) / (read() + 1), 6)
  expect(done!.work.draftMs).toBe(DRAFT_MS * drafted.forwards.length)
})
