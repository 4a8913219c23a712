/** Lookahead Reasoning (arXiv 2506.19830, Algorithm 1): draft, verify, commit, until the text ends. */
import { leavable } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import { draftsSteps, fixedController, plain } from './controller.ts'
import type { Controller, Plan } from './controller.ts'
import { Heard } from './heard.ts'
import { Output } from './output.ts'
import { Stats } from './stats.ts'
import { degraded, failed, trouble, waiting } from './trouble.ts'
import type { Phase, Trouble } from './trouble.ts'
import { UpstreamError } from './upstream.ts'
import type {
  Commit,
  DraftedStep,
  FollowEvent,
  Opened,
  Session,
  Share,
  Upstream,
  Verification,
  VerifyEvent,
} from './upstream.ts'

export interface CycleOptions {
  /** Names the run, and its text at the engine: like no other's. */
  runId: string
  signal: AbortSignal
  /** How far each cycle looks ahead; may be shared by runs of one kind. Default: always as far as the request asks. */
  controller?: Controller | undefined
  /** Where an operator is told of what went wrong. Default: a line of JSON on the console. */
  log?: ((trouble: Trouble) => void) | undefined
}

/** A call that goes on by itself. */
interface Flight {
  plan: Plan
  events: AsyncIterable<FollowEvent>
}

type Events<Result = void> = AsyncGenerator<RunEvent, Result, undefined>
type Told = Generator<RunEvent, void, undefined>
type Finish = NonNullable<Commit['finish']>

/** Failures in a row, without a token in between, that a run outlives: it may be what breaks the engine. */
const MOST_FAILURES = 3

/** Steps that are verified in a cycle of an engine that goes on by itself, at most. */
const MOST_STEPS = 128

/**
 * One run, from the prompt to exactly one terminal event. A failing draft or judge costs speed, never the run; a target that
 * fails is waited for. Leaving it, also while a read waits, stops everything down to the engine.
 * @throws the signal's reason, when the client leaves; nothing else
 */
export function cycle(upstream: Upstream, request: RunRequest, options: CycleOptions): Leavable<RunEvent> {
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  return leavable(new Run(upstream, request, { ...options, signal }).events(over), () => over.abort())
}

class Run {
  readonly #session: Session
  readonly #request: RunRequest
  readonly #options: CycleOptions
  readonly #controller: Controller
  readonly #output = new Output()
  readonly #stats = new Stats()
  /** Once the draft or the judge has failed, the target decodes plainly. */
  #hasFailed = false
  /** What went wrong before the run was let in. */
  #untold: RunEvent[] = []
  #isWaiting = false
  #failures = 0
  #phase: Phase = 'decode'
  /** The cycle at work. */
  #heard = new Heard({ steps: 0, tokens: 0 })

  constructor(upstream: Upstream, request: RunRequest, options: CycleOptions) {
    const { messages, prompt, sampling, stop, stop_in_reasoning: stopInReasoning } = request
    const { steps, coupled } = request.lookahead
    const text = { messages, prompt, sampling, stop, stopInReasoning, steps, coupled }
    this.#session = upstream.open({ id: options.runId, ...text })
    this.#request = request
    this.#options = options
    this.#controller = options.controller ?? fixedController(request.lookahead)
  }

  /** The whole run: begins with `run.started` once the engine has let it in, or with `run.failed`. */
  async *events(over: AbortController): Events {
    let completed = false
    try {
      yield* this.#text()
      completed = true
    } catch (error) {
      this.#options.signal.throwIfAborted()
      yield this.#tell(failed(error), error)
    } finally {
      // A completed text is given up already; any other would hold its memory until the engine finds it idle.
      if (!completed) await this.#session.release()
      over.abort()
    }
  }

  /** Cycle after cycle, past failures that pass, to the end of the text. */
  async *#text(): Events {
    for (;;)
      try {
        const finish = yield* this.#follows ? this.#following() : this.#cycle()
        if (finish) return yield* this.#complete(finish)
      } catch (error) {
        const finish = this.#heard.commit?.finish
        if (finish) return yield* this.#complete(finish)
        yield* this.#outlive(error)
      }
  }

  /** Draft, verify, commit: one after the other (Algorithm 1). */
  async *#cycle(): Events<Finish | undefined> {
    const started = performance.now()
    const plan = this.#plan(this.#controller.next())
    this.#listen(plan.depth * plan.width)
    if (plan.depth > 0) yield* this.#draft(plan)
    const commit = yield* this.#verify(this.#plan(plan))
    this.#learn(commit, performance.now() - started)
    if (commit.finish) return commit.finish
    yield { type: 'run.stats', stats: this.#stats.now }
    return undefined
  }

  /** Whether cycles overlap: an engine that can is not waited for between them, and its distance costs nothing. */
  get #follows(): boolean {
    const { mode, pipelined } = this.#request.lookahead
    return pipelined && draftsSteps(mode) && this.#session.follow !== undefined
  }

  /** One upon the other (§3.1, the asynchronous version): the engine goes on by itself, and takes over a new plan as it does. */
  async *#following(): Events<Finish> {
    let flight: Flight | undefined = this.#follow(this.#plan(this.#controller.next()))
    this.#listen(MOST_STEPS)
    while (flight) {
      let next: Flight | undefined
      for await (const event of flight.events) {
        // A stretch of the target alone is one cycle: what comes after it is asked for at once.
        if (event.type === 'opened' && isStretch(flight.plan)) next ??= this.#replan(flight.plan)
        if (event.type === 'undrafted') yield* this.#degrade('draft', event.error)
        else if (event.type === 'step') {
          this.#heard.draft(event)
          yield { type: 'step.drafted', ...this.#place(event) }
        } else if (event.type === 'cycle') {
          const commit = this.#progress()
          this.#stats.drafted(places(this.#heard.steps), { draftMs: 0 })
          this.#stats.worked(event.work)
          this.#learn(commit, event.ms, event.share)
          if (commit.finish) return commit.finish
          yield { type: 'run.stats', stats: this.#stats.now }
          next ??= this.#replan(flight.plan)
          this.#listen(MOST_STEPS)
        } else yield* this.#hear(event)
      }
      flight = next
    }
    throw new UpstreamError('no_commit', 'the backend ended a text without saying how')
  }

  /** A call that takes over after the present cycle, where there is another plan. */
  #replan(present: Plan): Flight | undefined {
    const plan = this.#plan(this.#controller.next())
    return isSame(plan, present) ? undefined : this.#follow(plan)
  }

  #follow(plan: Plan): Flight {
    const { depth, width, steps, tokens } = plan
    const { verifier, threshold, overlap } = this.#request.lookahead
    const { max_tokens: maxTokens } = this.#request
    this.#phase = depth > 0 ? 'verify' : 'decode'
    const task = { verifier, threshold, depth, width, overlap, decode: steps, tokens, maxTokens }
    return { plan, events: this.#session.follow!(task, this.#options.signal) }
  }

  #plan(plan: Plan): Plan {
    return this.#hasFailed ? plain(plan.tokens) : plan
  }

  /** A cycle begins. @param steps drafted in it at most */
  #listen(steps: number): void {
    this.#heard = new Heard({ steps, tokens: this.#room })
  }

  /** Output tokens to come. */
  get #room(): number {
    return this.#request.max_tokens - this.#output.tokens
  }

  /** d[0], d[1], …: the steps that the draft writes ahead, each after those before it. */
  async *#draft(plan: Plan): Events {
    this.#phase = 'draft'
    for (let isFirst = true; ; isFirst = false)
      try {
        return yield* this.#drafting(plan)
      } catch (error) {
        // The target is behind the same door.
        if (error instanceof UpstreamError && error.code === 'unauthorized') throw error
        this.#listen(plan.depth * plan.width)
        if (isFirst && error instanceof UpstreamError && error.code === 'stream_cut') continue
        return yield* this.#degrade('draft', error)
      }
  }

  async *#drafting({ depth, width }: Plan): Events {
    for await (const event of this.#session.draft({ depth, width }, this.#options.signal)) {
      if (event.type === 'opened') yield* this.#opened(event)
      if (event.type === 'away') yield* this.#wait(event.error)
      if (event.type === 'step') {
        this.#heard.draft(event)
        yield { type: 'step.drafted', ...this.#place(event) }
      }
      if (event.type === 'done') this.#stats.drafted(places(this.#heard.steps), event.work)
    }
  }

  /** The target writes t[0], t[1], …; those drafted steps are kept that the verifier takes for the same, up to the first other. */
  async *#verify(plan: Plan): Events<Commit> {
    const { steps } = this.#heard
    this.#phase = steps.length > 0 ? 'verify' : 'decode'
    const task: Verification = {
      verifier: this.#request.lookahead.verifier,
      threshold: this.#request.lookahead.threshold,
      decode: plan.steps,
      tokens: plan.tokens,
      maxTokens: this.#room,
    }
    for await (const event of this.#session.verify(oneByOne(steps), task, this.#options.signal)) {
      if (event.type === 'done') this.#stats.worked(event.work)
      else yield* this.#hear(event)
    }
    return this.#progress()
  }

  *#hear(event: Exclude<VerifyEvent, { type: 'done' }>): Told {
    const heard = this.#heard
    if (event.type === 'opened') yield* this.#opened(event)
    if (event.type === 'away') yield* this.#wait(event.error)
    if (event.type === 'verdict') heard.rule(event)
    if (event.type === 'delta') {
      heard.say(event)
      yield* this.#rulings()
      yield* this.#output.say(event.text)
    }
    if (event.type === 'commit') {
      const rest = heard.end(event)
      yield* this.#rulings()
      yield* this.#output.say(rest)
      yield* this.#commit(event)
    }
  }

  *#opened(event: Opened): Told {
    this.#isWaiting = false
    const isNew = !this.#output.isOpen
    this.#output.open(event)
    if (!isNew) return
    const { mode, depth, verifier } = this.#request.lookahead
    yield { type: 'run.started', run_id: this.#options.runId, mode, depth: draftsSteps(mode) ? depth : 0, verifier }
    yield* this.#untold
  }

  /** How events name a drafted step. */
  #place({ index, alternative, text }: DraftedStep) {
    return { step: this.#output.steps + index, ...(alternative ? { alternative } : {}), text }
  }

  /** What every cycle has to bring. */
  #progress(): Commit {
    const { commit } = this.#heard
    if (!commit) throw new UpstreamError('no_commit', 'the backend ended a verification without a commit')
    if (commit.tokens === 0 && !commit.finish)
      throw new UpstreamError('no_progress', 'the backend committed nothing, and did not end the text')
    return commit
  }

  *#rulings(): Told {
    for (const { drafted, accepted, reason } of this.#heard.due()) {
      yield { type: accepted ? 'step.accepted' : 'step.rejected', ...this.#place(drafted), reason }
      if (reason === 'judge_failed' && !this.#hasFailed)
        yield* this.#degrade('judge', new UpstreamError('judge_failed', 'the judge could not be asked'))
    }
  }

  *#commit(commit: Commit): Told {
    const step = this.#output.steps + commit.accepted
    this.#output.commit(commit)
    this.#stats.committed(commit)
    if (commit.tokens > 0) this.#failures = 0
    if (this.#heard.steps.length > 0 && commit.correction)
      yield { type: 'step.corrected', step, text: commit.correction }
  }

  #learn({ accepted, tokens, finish }: Commit, ms: number, share?: Share): void {
    const { steps } = this.#heard
    this.#controller.observe({
      drafted: places(steps),
      accepted,
      acceptedTokens: this.#heard.acceptedTokens,
      tokens,
      ms,
      share,
      readsPrompt: this.#output.tokens === tokens && this.#output.promptTokens > tokens,
      isLast: finish !== undefined,
    })
  }

  *#complete(finish_reason: Finish): Told {
    yield* this.#output.end()
    const { promptTokens: prompt_tokens, tokens: completion_tokens, reasoningTokens: reasoning_tokens } = this.#output
    const usage = { prompt_tokens, completion_tokens, ...(reasoning_tokens !== undefined && { reasoning_tokens }) }
    yield { type: 'run.completed', finish_reason, usage, stats: this.#stats.now }
  }

  /** After a failure of the target: all that was said stands, and the run goes on from there. @throws the failure, where it cannot */
  *#outlive(error: unknown): Told {
    this.#options.signal.throwIfAborted()
    const { sofar } = this.#heard
    const canGoOn = error instanceof UpstreamError && error.retryable && this.#output.isOpen
    if (!canGoOn || !sofar || !this.#session.recover || ++this.#failures > MOST_FAILURES) throw error
    this.#session.recover()
    yield* this.#commit(sofar)
    yield* this.#wait(error)
  }

  *#wait(error: UpstreamError): Told {
    if (this.#isWaiting || !this.#output.isOpen) return
    this.#isWaiting = true
    yield this.#tell(waiting(error), error)
  }

  *#degrade(part: 'draft' | 'judge', error: unknown): Told {
    this.#options.signal.throwIfAborted()
    this.#hasFailed = true
    const told = this.#tell(degraded(part, error), error)
    if (this.#output.isOpen) yield told
    else this.#untold.push(told)
  }

  /** Logs what the client is about to be told. */
  #tell(told: Parameters<typeof trouble>[0], error: unknown): RunEvent {
    const { runId, log = (line) => console.error(JSON.stringify(line)) } = this.#options
    log(trouble(told, runId, this.#phase, error))
    return told
  }
}

/** How many steps ahead: alternatives share a place. */
const places = (steps: readonly DraftedStep[]): number => steps.filter(({ alternative }) => !alternative).length

const isStretch = ({ depth, steps }: Plan): boolean => depth === 0 && steps !== 'end'

const isSame = (a: Plan, b: Plan): boolean => JSON.stringify(a) === JSON.stringify(b)

async function* oneByOne<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items
}
