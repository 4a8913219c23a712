/** Lookahead Reasoning (arXiv 2506.19830, Algorithm 1): draft, verify, commit, until the text ends. */
import { DEFAULT_VERIFIER, leavable } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import { draftsSteps, fixedController, plain } from './controller.ts'
import type { Controller, Plan } from './controller.ts'
import { Report } from './report.ts'
import type { Finish, ReportedEvents } from './report.ts'
import type { Progress, SavedRun } from './checkpoint.ts'
import { failed } from './trouble.ts'
import type { Trouble } from './trouble.ts'
import { UpstreamError } from './upstream.ts'
import type { FollowEvent, Session, Share, Upstream, Verification } from './upstream.ts'

export interface CycleOptions {
  /** Names the run, and its text at the engine: like no other's. */
  runId: string
  signal: AbortSignal
  /** How far each cycle looks ahead; may be shared by runs of one kind. Default: always as far as the request asks. */
  controller?: Controller | undefined
  /** Where an operator is told of what went wrong. Default: a line of JSON on the console. */
  log?: ((trouble: Trouble) => void) | undefined
}

interface RunOptions extends CycleOptions {
  /** Of a run that was begun elsewhere. */
  begun?: SavedRun | undefined
  /** Whether it is told how far the run is. */
  tellsProgress: boolean
}

/** A call of `follow`, and the plan that it was given. */
interface FollowCall {
  plan: Plan
  events: AsyncIterable<FollowEvent>
}

type Events<Result = void> = AsyncGenerator<RunEvent | Progress, Result, undefined>

/** Failures in a row, without a token in between, that a run outlives: it may be what breaks the engine. */
const MOST_FAILURES = 3

/** Steps drafted in a cycle of an engine that goes on by itself, at most: it drafts while others are verified. */
const MOST_STEPS = 128

/**
 * One run, from the prompt to exactly one terminal event. A failing draft or judge costs speed, never the run; a target that
 * fails is waited for. Leaving it, also while a read waits, stops everything down to the engine.
 * @throws the signal's reason, when the client leaves; nothing else
 */
export function cycle(upstream: Upstream, request: RunRequest, options: CycleOptions): Leavable<RunEvent> {
  return leavableRun(upstream, request, { ...options, tellsProgress: false }) as Leavable<RunEvent>
}

/**
 * The same, and how far it is: another can go on with it.
 * @param begun where another was, with an engine that can take texts up; `run.started` comes no more then
 */
export function cycleWithProgress(
  upstream: Upstream,
  request: RunRequest,
  options: CycleOptions,
  begun?: SavedRun,
): Leavable<RunEvent | Progress> {
  return leavableRun(upstream, request, { ...options, begun, tellsProgress: true })
}

function leavableRun(upstream: Upstream, request: RunRequest, options: RunOptions): Leavable<RunEvent | Progress> {
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  return leavable(new Run(upstream, request, { ...options, signal }).events(over), () => over.abort())
}

class Run {
  readonly #session: Session
  readonly #request: RunRequest
  readonly #signal: AbortSignal
  readonly #controller: Controller
  readonly #report: Report
  readonly #begun: SavedRun | undefined
  /** Failures since the last token. */
  #failures = 0

  constructor(upstream: Upstream, request: RunRequest, options: RunOptions) {
    const { runId, signal, controller, log = print, begun, tellsProgress } = options
    const { messages, prompt, sampling, stop, stop_in_reasoning: stopInReasoning } = request
    const { steps, coupled, verifier } = request.lookahead
    const anyVerifier = verifier === undefined
    const text = { id: runId, messages, prompt, sampling, stop, stopInReasoning, steps, anyVerifier, coupled }
    this.#begun = begun
    this.#session = begun ? upstream.takeUp!(text, begun.said.ids) : upstream.open(text)
    this.#request = request
    this.#signal = signal
    this.#controller = controller ?? fixedController(request.lookahead)
    this.#report = new Report({ runId, request, log, begun, tellsProgress })
  }

  /** The whole run: begins with `run.started` once the engine has let it in, or with `run.failed`. */
  async *events(over: AbortController): Events {
    let completed = false
    try {
      yield* this.#text()
      completed = true
    } catch (error) {
      this.#signal.throwIfAborted()
      yield this.#report.tell(failed(error), error)
    } finally {
      // A completed text is given up already; any other would hold its memory until the engine finds it idle.
      if (!completed) await this.#session.release()
      over.abort()
    }
  }

  /** Cycle after cycle, past failures that pass, to the end of the text. */
  async *#text(): Events {
    if (this.#begun) {
      const { finish } = this.#begun.checkpoint
      if (finish) return yield* this.#report.end(finish)
      yield* this.#report.takeUp(this.#begun)
    }
    for (;;)
      try {
        const finish = yield* this.#overlaps ? this.#following() : this.#cycle()
        if (finish) return yield* this.#report.end(finish)
      } catch (error) {
        const finish = this.#report.commit?.finish
        if (finish) return yield* this.#report.end(finish)
        yield* this.#outlive(error)
      }
  }

  /** Draft, verify, commit: one after the other (Algorithm 1). */
  async *#cycle(): Events<Finish | undefined> {
    const plan = this.#possible(this.#controller.next())
    this.#report.begin(plan.depth * plan.width)
    if (plan.depth > 0) yield* this.#draft(plan)
    yield* this.#verify(this.#possible(plan))
    return yield* this.#commit()
  }

  /** d[0], d[1], …: the steps that the draft writes ahead, each after those before it. A call that breaks off is made once more. */
  async *#draft(plan: Plan): Events {
    this.#report.phase = 'draft'
    for (let isFirst = true; ; isFirst = false)
      try {
        return yield* this.#drafting(plan)
      } catch (error) {
        // The target is behind the same door.
        if (error instanceof UpstreamError && error.code === 'unauthorized') throw error
        this.#report.begin(plan.depth * plan.width)
        if (isFirst && error instanceof UpstreamError && error.code === 'stream_cut') continue
        return yield* this.#goOnUndrafted(error)
      }
  }

  async *#drafting({ depth, width, tokens: { ngram } }: Plan): Events {
    for await (const event of this.#session.draft({ depth, width, ngram }, this.#signal)) {
      if (event.type === 'done') this.#report.drafted(event.work)
      else yield* this.#report.hear(event)
    }
  }

  /** The target writes t[0], t[1], …; those drafted steps are kept that the verifier takes for the same, up to the first other. */
  async *#verify({ steps: decode, tokens }: Plan): Events {
    const { steps, room: maxTokens } = this.#report
    const { verifier = DEFAULT_VERIFIER, threshold } = this.#request.lookahead
    this.#report.phase = steps.length > 0 ? 'verify' : 'decode'
    const task: Verification = { verifier, threshold, decode, tokens, maxTokens }
    for await (const event of this.#session.verify(oneByOne(steps), task, this.#signal)) {
      if (event.type === 'done') this.#report.verified(event.work)
      else yield* this.#report.hear(event)
    }
  }

  /** What the engine committed stands, and the controller learns from it. @returns how the text ended, if it has */
  *#commit(share?: Share): ReportedEvents<Finish | undefined> {
    const { commit, lesson } = this.#report.cycle(share)
    if (commit.tokens > 0) this.#failures = 0
    this.#controller.observe(lesson)
    yield* this.#report.committed(commit)
    return commit.finish
  }

  /** Whether cycles overlap: an engine that can is not waited for between them, and its distance costs nothing. */
  get #overlaps(): boolean {
    const { mode, pipelined } = this.#request.lookahead
    return pipelined && draftsSteps(mode) && this.#session.follow !== undefined
  }

  /** One upon the other (§3.1, the asynchronous version): the engine goes on by itself, and takes over a new plan as it does. */
  async *#following(): Events<Finish> {
    let call: FollowCall | undefined = this.#follow(this.#possible(this.#controller.next()))
    this.#report.begin(MOST_STEPS)
    while (call) {
      let next: FollowCall | undefined
      for await (const event of call.events) {
        // A stretch of the target alone is one cycle: what comes after it is asked for at once.
        if (event.type === 'opened' && isStretch(call.plan)) next ??= this.#replan(call.plan)
        if (event.type === 'undrafted') yield* this.#goOnUndrafted(event.error)
        else if (event.type === 'cycle') {
          this.#report.followed(event.work, event.waitMs)
          const finish = yield* this.#commit(event.share)
          if (finish) return finish
          next ??= this.#replan(call.plan)
          this.#report.begin(MOST_STEPS)
        } else yield* this.#report.hear(event)
      }
      call = next
    }
    throw new UpstreamError('stream_cut', 'the backend does not go on with the text', { retryable: true })
  }

  /** A call that takes over after the present cycle, where there is another plan. */
  #replan(present: Plan): FollowCall | undefined {
    const plan = this.#possible(this.#controller.next())
    return isSame(plan, present) ? undefined : this.#follow(plan)
  }

  #follow(plan: Plan): FollowCall {
    const { depth, width, steps, tokens } = plan
    const { verifier = DEFAULT_VERIFIER, threshold, overlap } = this.#request.lookahead
    const { max_tokens: maxTokens } = this.#request
    this.#report.phase = depth > 0 ? 'verify' : 'decode'
    const task = { verifier, threshold, depth, width, overlap, decode: steps, tokens, maxTokens }
    return { plan, events: this.#session.follow!(task, this.#signal) }
  }

  /** Once the draft or the judge has failed, the target decodes plainly. */
  #possible(plan: Plan): Plan {
    return this.#report.hasFailed ? plain(plan.tokens) : plan
  }

  /** The draft has failed. */
  *#goOnUndrafted(error: unknown): ReportedEvents {
    this.#signal.throwIfAborted()
    yield* this.#report.undrafted(error)
  }

  /** After a failure of the target: all that was said stands, and the run goes on from there. @throws the failure, where it cannot */
  *#outlive(error: unknown): ReportedEvents {
    this.#signal.throwIfAborted()
    const { sofar, hasBegun, commit } = this.#report
    if (commit && commit.tokens > 0) this.#failures = 0
    const canGoOn = error instanceof UpstreamError && error.retryable && hasBegun
    if (!canGoOn || !sofar || !this.#session.recover || ++this.#failures > MOST_FAILURES) throw error
    if (sofar.tokens > 0) this.#failures = 0
    yield* this.#report.goOn(sofar, error, this.#session.recover(error))
  }
}

const isStretch = ({ depth, steps }: Plan): boolean => depth === 0 && steps !== 'end'

const isSame = (a: Plan, b: Plan): boolean => JSON.stringify(a) === JSON.stringify(b)

const print = (trouble: Trouble): void => console.error(JSON.stringify(trouble))

async function* oneByOne<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items
}
