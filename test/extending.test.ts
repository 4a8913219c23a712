/** What is written from outside works in a run: one object each, and no file of ours knows of it. */
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { cycle } from '@lookahead/worker/lookahead'
import type { Upstream } from '@lookahead/worker/lookahead'
import { describe, expect, test } from 'vitest'

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
            yield { type: 'step', id: `${written + index}`, index, text }
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
    for (const event of events) if (event.type === 'text.delta') text[event.channel] += event.text
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
