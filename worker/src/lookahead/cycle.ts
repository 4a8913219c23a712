/** Lookahead Reasoning (arXiv 2506.19830, Algorithm 1): draft, verify, commit, until the text ends. */
import { leavable } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import { draftsSteps, fixedController, plain } from './controller.ts'
import type { Controller, Plan } from './controller.ts'
import { Output } from './output.ts'
import { Stats } from './stats.ts'
import { degraded, failed, trouble } from './trouble.ts'
import type { Phase, Trouble } from './trouble.ts'
import { UpstreamError } from './upstream.ts'
import type {
  Commit,
  DraftedStep,
  FollowEvent,
  Share,
  Session,
  Upstream,
  Verdict,
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

/**
 * One run, from the prompt to exactly one terminal event. A failing draft or judge costs speed, never the run.
 * Leaving it, also while a read waits, stops everything down to the engine.
 * @throws the signal's reason, when the client leaves; nothing else
 */
export function cycle(upstream: Upstream, request: RunRequest, options: CycleOptions): Leavable<RunEvent> {
  const over = new AbortController()
  const signal = AbortSignal.any([options.signal, over.signal])
  const run = new Run(upstream, request, { ...options, signal })
  return leavable(until(over, run.events()), () => over.abort())
}

/** The same events; whatever goes on beside them ends with them. */
async function* until(over: AbortController, events: Events): Events {
  try {
    yield* events
  } finally {
    over.abort()
  }
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
  #phase: Phase = 'decode'
  /** Of the drafted steps that the present cycle has accepted. */
  #acceptedTokens = 0

  constructor(upstream: Upstream, request: RunRequest, options: CycleOptions) {
    const { messages, prompt, sampling, stop, stop_in_reasoning: stopInReasoning } = request
    const { steps, coupled } = request.lookahead
    const text = { messages, prompt, sampling, stop, stopInReasoning, steps, coupled }
    this.#session = upstream.open({ id: options.runId, ...text })
    this.#request = request
    this.#options = options
    this.#controller = options.controller ?? fixedController(request.lookahead)
  }

  /** The whole run. */
  async *events(): Events {
    const { mode, depth, verifier } = this.#request.lookahead
    yield { type: 'run.started', run_id: this.#options.runId, mode, depth: draftsSteps(mode) ? depth : 0, verifier }
    let completed = false
    try {
      yield* this.#follows ? this.#following() : this.#cycles()
      completed = true
    } catch (error) {
      this.#options.signal.throwIfAborted()
      yield this.#tell(failed(error), error)
    } finally {
      // A completed text is given up already; any other would hold its memory until the engine finds it idle.
      if (!completed) await this.#session.release()
    }
  }

  /** One after the other: draft, verify, commit (Algorithm 1). */
  async *#cycles(): Events {
    for (;;) {
      const started = performance.now()
      const plan = this.#plan(this.#controller.next())
      const steps = plan.depth > 0 ? yield* this.#draft(plan) : []
      const commit = yield* this.#verify(steps, this.#plan(plan))
      this.#learn(steps, commit, performance.now() - started)
      if (commit.finish) return yield* this.#complete(commit.finish)
      yield { type: 'run.stats', stats: this.#stats.now }
    }
  }

  /** Whether cycles overlap: an engine that can is not waited for between them, and its distance costs nothing. */
  get #follows(): boolean {
    const { mode, pipelined } = this.#request.lookahead
    return pipelined && draftsSteps(mode) && this.#session.follow !== undefined
  }

  /** One upon the other (§3.1, the asynchronous version): the engine goes on by itself, and takes over a new plan as it does. */
  async *#following(): Events {
    let flight: Flight | undefined = this.#follow(this.#plan(this.#controller.next()))
    while (flight) {
      let next: Flight | undefined
      let drafted: DraftedStep[] = []
      let committed: Commit | undefined
      for await (const event of flight.events) {
        // A stretch of the target alone is one cycle: what comes after it is asked for at once.
        if (event.type === 'opened' && isStretch(flight.plan)) next ??= this.#replan(flight.plan)
        if (event.type === 'undrafted') yield this.#degrade('draft', event.error)
        else if (event.type === 'step') {
          drafted.push(event)
          yield { type: 'step.drafted', ...this.#place(event) }
        } else if (event.type === 'cycle') {
          const commit = this.#progress(committed)
          this.#stats.drafted(places(drafted), { draftMs: 0 })
          this.#stats.verified(commit, event.work)
          this.#learn(drafted, commit, event.ms, event.share)
          if (commit.finish) return yield* this.#complete(commit.finish)
          yield { type: 'run.stats', stats: this.#stats.now }
          next ??= this.#replan(flight.plan)
          drafted = []
          committed = undefined
        } else {
          if (event.type === 'commit') committed = event
          yield* this.#hear(event, drafted)
        }
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

  /** d[0], d[1], …: the steps that the draft writes ahead, each after those before it. */
  async *#draft({ depth, width }: Plan): Events<DraftedStep[]> {
    const steps: DraftedStep[] = []
    this.#phase = 'draft'
    try {
      for await (const event of this.#session.draft({ depth, width }, this.#options.signal)) {
        if (event.type === 'opened') this.#output.open(event)
        if (event.type === 'step') {
          steps.push(event)
          yield { type: 'step.drafted', ...this.#place(event) }
        }
        if (event.type === 'done') this.#stats.drafted(places(steps), event.work)
      }
      return steps
    } catch (error) {
      // The target is behind the same door.
      if (error instanceof UpstreamError && error.code === 'unauthorized') throw error
      yield this.#degrade('draft', error)
      return []
    }
  }

  /** The target writes t[0], t[1], …; those drafted steps are kept that the verifier takes for the same, up to the first other. */
  async *#verify(steps: DraftedStep[], plan: Plan): Events<Commit> {
    this.#phase = steps.length > 0 ? 'verify' : 'decode'
    const task: Verification = {
      verifier: this.#request.lookahead.verifier,
      threshold: this.#request.lookahead.threshold,
      decode: plan.steps,
      tokens: plan.tokens,
      maxTokens: this.#request.max_tokens - this.#output.tokens,
    }
    let commit: Commit | undefined
    for await (const event of this.#session.verify(oneByOne(steps), task, this.#options.signal)) {
      if (event.type === 'commit') commit = event
      if (event.type === 'done') this.#stats.verified(commit, event.work)
      else yield* this.#hear(event, steps)
    }
    return this.#progress(commit)
  }

  *#hear(event: Exclude<VerifyEvent, { type: 'done' }>, steps: DraftedStep[]): Generator<RunEvent, void, undefined> {
    if (event.type === 'opened') this.#output.open(event)
    if (event.type === 'delta') yield* this.#output.say(event.text)
    if (event.type === 'verdict') yield* this.#rule(event, steps)
    if (event.type === 'commit') yield* this.#commit(event, steps.length > 0)
  }

  /** How events name a drafted step. */
  #place({ index, alternative, text }: DraftedStep) {
    return { step: this.#output.steps + index, ...(alternative ? { alternative } : {}), text }
  }

  /** What every cycle has to bring. */
  #progress(commit: Commit | undefined): Commit {
    if (!commit) throw new UpstreamError('no_commit', 'the backend ended a verification without a commit')
    if (commit.tokens === 0 && !commit.finish)
      throw new UpstreamError('no_progress', 'the backend committed nothing, and did not end the text')
    return commit
  }

  *#rule({ step: id, accepted, reason }: Verdict, steps: DraftedStep[]): Generator<RunEvent, void, undefined> {
    const drafted = steps.find((step) => step.id === id)
    if (!drafted) throw new UpstreamError('bad_event', 'the backend ruled on a step that was not drafted')
    if (accepted) this.#acceptedTokens += drafted.tokens
    yield { type: accepted ? 'step.accepted' : 'step.rejected', ...this.#place(drafted), reason }
    if (reason === 'judge_failed' && !this.#hasFailed)
      yield this.#degrade('judge', new UpstreamError('judge_failed', 'the judge could not be asked'))
  }

  *#commit(commit: Commit, hasDraft: boolean): Generator<RunEvent, void, undefined> {
    const step = this.#output.steps + commit.accepted
    yield* this.#output.commit(commit)
    if (hasDraft && commit.correction) yield { type: 'step.corrected', step, text: commit.correction }
  }

  #learn(steps: DraftedStep[], { accepted, tokens, finish }: Commit, ms: number, share?: Share): void {
    this.#controller.observe({
      drafted: places(steps),
      accepted,
      acceptedTokens: this.#acceptedTokens,
      tokens,
      ms,
      share,
      readsPrompt: this.#output.tokens === tokens && this.#output.promptTokens > tokens,
      isLast: finish !== undefined,
    })
    this.#acceptedTokens = 0
  }

  *#complete(finish_reason: NonNullable<Commit['finish']>): Generator<RunEvent, void, undefined> {
    yield* this.#output.end()
    const { promptTokens: prompt_tokens, tokens: completion_tokens, reasoningTokens: reasoning_tokens } = this.#output
    const usage = { prompt_tokens, completion_tokens, ...(reasoning_tokens !== undefined && { reasoning_tokens }) }
    yield { type: 'run.completed', finish_reason, usage, stats: this.#stats.now }
  }

  #degrade(part: 'draft' | 'judge', error: unknown): RunEvent {
    this.#options.signal.throwIfAborted()
    this.#hasFailed = true
    return this.#tell(degraded(part, error), error)
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
