import type { Context } from '../contexts.ts'
import type { Engine } from '../engine.ts'
import { stepsDrafted } from '../events.ts'
import type { CycleDone, Done, VerifyEvent } from '../events.ts'
import { opened } from './draft.ts'
import type { VerifyRequest } from './requests.ts'
import { Verification } from './verify.ts'

/**
 * Cycle after cycle, with drafting and verification overlapped (arXiv 2506.19830, §3.1 and appendix B.1.1): while a draft call
 * writes ahead, the target verifies what has been drafted, and commits. Where nothing is drafted, it writes a step alone. Ends
 * with the text, or after the cycle in which another call asks to go on.
 * @throws {EngineError} `context_lost` when the context was given up meanwhile
 */
export async function* lookahead(
  engine: Engine,
  context: Context,
  request: VerifyRequest,
  signal: AbortSignal,
): AsyncGenerator<VerifyEvent, void, undefined> {
  yield opened(context)
  const { drafts } = context
  drafts.plan(request.depth, request.overlap ?? engine.overlaps, request.width)
  const total = new Total(context.promptLength)
  while (context.outputLength < request.maxTokens) {
    const [started, draftMs, reading] = [performance.now(), drafts.ms, { ...drafts.reading }]
    const steps = await drafts.next(signal)
    const waited = performance.now() - started - (drafts.reading.ms - reading.ms)
    for (const [index, step] of steps.entries()) yield* stepsDrafted(step, index)
    const options = { ...request, maxTokens: request.maxTokens - context.outputLength }
    const drafted = { steps, goesOn: drafts.isDrafted || drafts.steps.length > steps.length, cuts: drafts.goesOn }
    const verification = new Verification(engine, context, options, drafted, signal)
    yield* verification.run()
    const cycle: CycleDone = { ...verification.done, type: 'cycle' }
    cycle.work.draftMs += drafts.ms - draftMs
    cycle.work.waitMs! += Math.max(0, waited)
    cycle.work.shareMs! += drafts.meter.take().ms - (drafts.reading.shareMs - reading.shareMs)
    // Those who only draft now are not among the target's requests; its own drafting makes this text no other.
    cycle.work.load = Math.max(cycle.work.load!, engine.contexts.atWork)
    cycle.work.totalMs = performance.now() - started
    total.add(cycle)
    yield cycle
    if (verification.isLast || context.awaited.has('verify')) break
    // Its drafts are over with it.
    engine.contexts.require(context)
  }
  yield total.done
}

/** What all cycles of a call took. */
class Total {
  readonly #start = performance.now()
  readonly #done: Done

  constructor(promptTokens: number) {
    this.#done = {
      type: 'done',
      promptTokens,
      completionTokens: 0,
      work: { totalMs: 0, draftMs: 0, targetMs: 0, judgeMs: 0, promptMs: 0, forwards: 0 },
    }
  }

  add({ completionTokens, work, speculation: own }: CycleDone): void {
    const done = this.#done
    done.completionTokens += completionTokens
    done.work.draftMs += work.draftMs
    done.work.targetMs += work.targetMs
    done.work.judgeMs += work.judgeMs
    done.work.promptMs += work.promptMs
    done.work.forwards += work.forwards
    if (own) done.speculation = done.speculation ? sum(done.speculation, own) : own
  }

  get done(): Done {
    const { work } = this.#done
    return { ...this.#done, work: { ...work, totalMs: performance.now() - this.#start } }
  }
}

type Speculation = NonNullable<Done['speculation']>

function sum(a: Speculation, b: Speculation): Speculation {
  const [drafts, proposed, accepted] = [a.drafts + b.drafts, a.proposed + b.proposed, a.accepted + b.accepted]
  const places = Math.max(a.perPosition.length, b.perPosition.length)
  const perPosition = Array.from({ length: places }, (_, i) => (a.perPosition[i] ?? 0) + (b.perPosition[i] ?? 0))
  return { drafts, proposed, accepted, perPosition, meanLength: 1 + accepted / Math.max(1, drafts) }
}
