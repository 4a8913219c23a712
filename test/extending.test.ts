/** What is written from outside works in a run: one object each, and no file of ours knows of it. */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { Engine, createApp } from '@lookahead/gpu-backend'
import type { ProposerKind } from '@lookahead/gpu-backend'
import { testProblems } from '@lookahead/gpu-backend/dataset'
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { cycle } from '@lookahead/worker/lookahead'
import type { Upstream } from '@lookahead/worker/lookahead'
import { nativeUpstream } from '@lookahead/worker/native'
import type { Pair, Verifier } from '@lookahead/worker/verifiers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe('an engine', () => {
  /** It knows its text by heart, and its draft gets every third step wrong. */
  const solution = ['Two cats.\n\n', 'Three dogs.\n\n', 'Five of them.\n\n', '</think>\n\n', '\\boxed{5}']
  const guesses = solution.map((step, i) => (i % 3 === 2 ? 'Nobody knows.\n\n' : step))

  class Recital implements Upstream {
    readonly released: string[] = []

    open: Upstream['open'] = ({ id: name }) => {
      let written = 0
      return {
        async *draft({ depth }) {
          for (const [index, text] of guesses.slice(written, written + depth).entries())
            yield { type: 'step', id: `${written + index}`, index, text, tokens: 3 }
          yield { type: 'done', work: { draftMs: 1 } }
        },
        async *verify(steps, { verifier, decode }) {
          yield { type: 'opened', promptTokens: 7, channels: { thinking: true, after_tag: false, partial_tag: '' } }
          const start = written
          // Each is ruled as it comes, while others may still be drafted.
          for await (const { id, text } of steps) {
            const accepted = text === solution[written]
            yield { type: 'verdict', step: id, accepted, reason: verifier }
            if (!accepted) break
            yield { type: 'delta', text }
            written++
          }
          const accepted = written - start
          const own = solution.slice(written, decode === 'end' ? undefined : written + decode)
          written += own.length
          yield {
            type: 'commit',
            accepted,
            steps: written - start,
            text: solution.slice(start, written).join(''),
            tokens: written - start,
            correction: own.join(''),
            finish: written === solution.length ? 'stop' : undefined,
          }
          yield { type: 'done', work: { draftMs: 0, targetMs: 1, judgeMs: 0, forwards: 1, proposed: 0, accepted: 0 } }
        },
        release: async () => void this.released.push(name),
      }
    }
  }

  async function run(upstream: Upstream, lookahead: object, reads = Infinity): Promise<RunEvent[]> {
    const request = parseRequest(RunRequest, { prompt: 'How many?', lookahead })
    const events: RunEvent[] = []
    const { signal } = new AbortController()
    for await (const event of cycle(upstream, request, { runId: 'r', signal })) if (events.push(event) >= reads) break
    return events
  }

  const said = (events: readonly RunEvent[]) => {
    const text = { reasoning: '', answer: '' }
    for (const event of events) if (event.type === 'text.delta') text[event.channel as keyof typeof text] += event.text
    return text
  }

  test.each(['ar', 'sd', 'lr', 'lr+sd'])('writes a whole run in mode %s', async (mode) => {
    const events = await run(new Recital(), { mode, depth: 4, verifier: 'by heart' })
    expect(said(events)).toEqual({ reasoning: 'Two cats.\n\nThree dogs.\n\nFive of them.', answer: '\\boxed{5}' })
    expect(events.at(-1)).toMatchObject({
      type: 'run.completed',
      usage: { prompt_tokens: 7, completion_tokens: 5 },
    })
  })

  test('has its steps judged and corrected', async () => {
    const events = await run(new Recital(), { mode: 'lr', depth: 4, verifier: 'by heart' })
    const steps = events.filter(({ type }) => /step\.(accepted|rejected|corrected)/.test(type))
    expect(steps).toMatchObject([
      { type: 'step.accepted', step: 0, reason: 'by heart' },
      { type: 'step.accepted', step: 1 },
      { type: 'step.rejected', step: 2, text: 'Nobody knows.\n\n' },
      { type: 'step.corrected', step: 2, text: 'Five of them.\n\n' },
      { type: 'step.accepted', step: 3 },
      { type: 'step.accepted', step: 4 },
    ])
    expect(events.at(-1)).toMatchObject({ stats: { cycles: 2, drafted_steps: 6, accepted_steps: 4 } })
  })

  test('is told when its text is left, and not when it is complete', async () => {
    const engine = new Recital()
    await run(engine, { mode: 'lr' })
    expect(engine.released).toEqual([])
    await run(engine, { mode: 'lr' }, 2)
    expect(engine.released).toEqual(['r'])
  })
})

describe('a verifier and a proposer', () => {
  const models = path.join(import.meta.dirname, '../gpu-backend/models')
  const [problem] = testProblems(1)
  const messages = [{ role: 'user' as const, content: problem!.question }]

  /** Keeps what is not too long. */
  const seen: Pair[] = []
  const brevity: Verifier = {
    name: 'brevity',
    rule: (pair) => {
      seen.push(pair)
      return { accepted: pair.draft.text.length < 400, reason: 'short enough' }
    },
  }

  /** Guesses that the last token comes again. */
  const guessed: number[] = []
  const stutter: ProposerKind = {
    name: 'stutter',
    most: () => 16,
    create: () => ({
      propose: (text, most) => {
        guessed.push(most)
        return Array.from({ length: most }, () => ({ token: text.at(-1)! }))
      },
    }),
  }

  async function run(engine: Engine, lookahead: object): Promise<RunEvent[]> {
    const app = createApp({ engine: () => engine, draining: () => false })
    const fetch = ((url: string, init: RequestInit) =>
      app.request(new URL(url).pathname, init)) as typeof globalThis.fetch
    const upstream = nativeUpstream({ baseURL: 'http://backend.test', fetch })
    const request = parseRequest(RunRequest, {
      messages,
      max_tokens: 200,
      sampling: { temperature: 0, seed: 1 },
      lookahead,
    })
    const events: RunEvent[] = []
    const { signal } = new AbortController()
    for await (const event of cycle(upstream, request, { runId: randomUUID(), signal, log: () => undefined }))
      events.push(event)
    return events
  }

  let engine: Engine
  beforeAll(async () => {
    engine = await Engine.load({ models, slots: 2048, verifiers: [brevity], proposers: [stutter] })
  })
  afterAll(() => engine.close())

  test('decide what a run keeps, and guess its tokens', async () => {
    const events = await run(engine, { mode: 'lr+sd', verifier: 'brevity', depth: 2 })
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' })
    const accepted = events.filter((event) => event.type === 'step.accepted')
    expect(accepted.length).toBeGreaterThan(1)
    for (const event of accepted) expect(event.reason).toBe('short enough')
    expect(seen.length).toBeGreaterThan(0)
    await run(engine, { mode: 'sd' })
    expect(guessed.length).toBeGreaterThan(0)
  })

  test('leave other runs what they are', async () => {
    const texts = await Promise.all(
      ['ar', 'lr+sd'].map(async (mode) => {
        const events = await run(engine, { mode, verifier: 'exact' })
        return events.map((event) => (event.type === 'text.delta' ? event.text : '')).join('')
      }),
    )
    expect(texts[1]).toBe(texts[0])
  })

  test('a name that no verifier has ends a run at once, with the names there are', async () => {
    const events = await run(engine, { mode: 'ar', verifier: 'nobody' })
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'invalid_request' })
    expect((events.at(-1) as { message: string }).message).toMatch(/verifier.*exact, judge, .*, brevity/)
  })
})
