/** What a run's client is told of what the engine says, and what of it counts. */
import { DEFAULT_VERIFIER } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import { draftsSteps } from './controller.ts'
import type { Cycle } from './controller.ts'
import { CycleRecord } from './cycle-record.ts'
import { Output } from './output.ts'
import { PhaseTimes } from './phase-times.ts'
import type { Checkpoint, Progress, SavedRun } from './checkpoint.ts'
import { Stats } from './stats.ts'
import { degraded, trouble, waiting } from './trouble.ts'
import type { Phase, Trouble } from './trouble.ts'
import { UpstreamError } from './upstream.ts'
import type { Commit, DraftedStep, DraftWork, Opened, Share, VerifyEvent, Work } from './upstream.ts'

/** What is told of one thing that happened; `Progress` comes last where it is asked for. */
export type ReportedEvents<Result = void> = Generator<RunEvent | Progress, Result, undefined>
export type Finish = NonNullable<Commit['finish']>

/** What an engine says of a cycle. */
export type EngineEvent = Exclude<VerifyEvent, { type: 'done' }> | ({ type: 'step' } & DraftedStep)

export interface ReportOptions {
  runId: string
  request: RunRequest
  /** Where an operator is told of what went wrong. */
  log: (trouble: Trouble) => void
  /** Of a run that was begun elsewhere. */
  begun?: SavedRun | undefined
  /** Whether it is told how far the run is, after all that is told of one thing. */
  tellsProgress: boolean
}

export class Report {
  readonly stats: Stats
  readonly #options: ReportOptions
  readonly #output: Output
  /** The cycle at work. */
  #record: CycleRecord
  #times = new PhaseTimes()
  /** What went wrong before the run was let in. */
  #untold: RunEvent[] = []
  #isWaiting = false
  #hasFailed: boolean
  /** What the run is doing, for the log. */
  phase: Phase = 'decode'

  constructor(options: ReportOptions) {
    const { begun } = options
    this.#options = options
    this.stats = new Stats(begun?.checkpoint.stats)
    this.#output = new Output(begun)
    this.#record = new CycleRecord({ steps: 0, tokens: 0, mayHold: this.#mayHold, held: begun ? undefined : '' })
    this.#hasFailed = begun?.checkpoint.hasFailed ?? false
  }

  /** A cycle begins. @param steps drafted in it at most */
  begin(steps: number): void {
    this.#begin(steps, this.#record.held)
  }

  #begin(steps: number, held: string | undefined): void {
    this.#record = new CycleRecord({ steps, tokens: this.room, mayHold: this.#mayHold, held })
    this.#times = new PhaseTimes()
  }

  /** A draft call has ended. */
  drafted(work: DraftWork): void {
    this.stats.drafted(this.places, work)
    this.#times.worked(work)
  }

  /** A verification has ended. */
  verified(work: Work): void {
    this.stats.worked(work)
    this.#times.worked(work)
  }

  /** A cycle of an engine that goes on by itself. @param waitMs the target waited for drafted steps and guesses */
  followed(work: Work, waitMs: number): void {
    this.stats.drafted(this.places, { draftMs: 0 })
    this.stats.worked(work)
    this.#times.followed(work, waitMs)
  }

  get #mayHold(): boolean {
    return this.#options.request.stop.length > 0
  }

  /** Output tokens to come. */
  get room(): number {
    return this.#options.request.max_tokens - this.#output.tokens
  }

  /** Whether the engine has let the run in. */
  get hasBegun(): boolean {
    return this.#output.isOpen
  }

  /** Once the draft or the judge has failed, the target decodes plainly. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Steps drafted in this cycle, alternatives among them. */
  get steps(): readonly DraftedStep[] {
    return this.#record.steps
  }

  /** How many steps ahead: alternatives share a place. */
  get places(): number {
    return this.#chain.length
  }

  get #chain(): readonly DraftedStep[] {
    return this.steps.filter(({ alternative }) => !alternative)
  }

  /** What this cycle committed, if it has. */
  get commit(): Commit | undefined {
    return this.#record.commit
  }

  /** @throws {UpstreamError} `bad_event` for what was not asked for */
  *hear(event: EngineEvent): ReportedEvents {
    yield* this.#events(event)
    yield* this.#progress()
  }

  *#events(event: EngineEvent): ReportedEvents {
    const record = this.#record
    this.#times.hear(event)
    if (event.type === 'opened') yield* this.#opened(event)
    if (event.type === 'away') yield* this.#wait(event.error, event.elsewhere)
    if (event.type === 'step') {
      record.draft(event)
      yield { type: 'step.drafted', ...this.#place(event) }
    }
    if (event.type === 'verdict') record.rule(event)
    if (event.type === 'delta') {
      record.say(event)
      yield* this.#rulings()
      yield* this.#output.say(event.text, event.ids)
    }
    if (event.type === 'commit') {
      const said = record.tokens ?? 0
      const rest = record.end(event)
      yield* this.#rulings()
      yield* this.#output.say(rest, event.ids?.slice(said))
      yield* this.#commit(event)
    }
  }

  *#opened(event: Opened): ReportedEvents {
    this.#isWaiting = false
    const isNew = !this.#output.isOpen
    this.#output.open(event)
    if (!isNew) return
    const { runId, request } = this.#options
    const { mode, depth, verifier = event.verifier ?? DEFAULT_VERIFIER } = request.lookahead
    yield { type: 'run.started', run_id: runId, mode, depth: draftsSteps(mode) ? depth : 0, verifier }
    yield* this.#untold
  }

  /** How events name a drafted step. */
  #place({ index, alternative, text }: DraftedStep) {
    return { step: this.#output.steps + index, ...(alternative ? { alternative } : {}), text }
  }

  *#rulings(): ReportedEvents {
    for (const { drafted, accepted, reason, probability, target } of this.#record.due()) {
      const found = {
        ...(probability !== undefined && { probability }),
        ...(accepted && target !== undefined && { target }),
      }
      yield { type: accepted ? 'step.accepted' : 'step.rejected', ...this.#place(drafted), reason, ...found }
      if (reason === 'judge_failed' && !this.#hasFailed)
        yield* this.#degrade('judge', new UpstreamError('judge_failed', 'the judge could not be asked'))
    }
  }

  /** It stands, and counts. */
  *#commit(commit: Commit): ReportedEvents {
    const corrected = [...this.#correction(commit)]
    this.#output.commit(commit)
    this.stats.committed(commit)
    yield* corrected
  }

  *#correction({ accepted, correction: text }: Commit): Generator<RunEvent, void, undefined> {
    if (this.#record.steps.length > 0 && text)
      yield { type: 'step.corrected', step: this.#output.steps + accepted, text }
  }

  /** What this cycle committed, and what is to be learned of it. @throws {UpstreamError} where it brought nothing */
  cycle(share?: Share): { commit: Commit; lesson: Cycle } {
    const { commit, acceptedTokens } = this.#record
    if (!commit) throw new UpstreamError('no_commit', 'the backend ended a verification without a commit')
    const { accepted, tokens, finish } = commit
    if (tokens === 0 && !finish)
      throw new UpstreamError('no_progress', 'the backend committed nothing, and did not end the text')
    const { ms, tellsPrompt } = this.#times
    const readsPrompt = !tellsPrompt && this.#output.tokens === tokens && this.#output.promptTokens > tokens
    const isLast = finish !== undefined
    const drafted = this.places
    const draftedTokens = this.#chain.reduce((sum, step) => sum + step.tokens, 0)
    return {
      commit,
      lesson: { drafted, draftedTokens, accepted, acceptedTokens, tokens, ms, share, readsPrompt, isLast },
    }
  }

  /** After all that is told of a cycle but the end of the text. */
  *committed({ finish }: Commit): ReportedEvents {
    if (!finish) yield { type: 'run.stats', stats: this.stats.now }
    yield* this.#progress()
  }

  /** How far the run is, and what was said since this was told last. */
  *#progress(): ReportedEvents {
    if (!this.#options.tellsProgress) return
    const { ids, text } = this.#output.takeSaid()
    const checkpoint = ids && this.#checkpoint
    yield { type: 'progress', checkpoint, said: checkpoint ? { ids, text } : { ids: [], text } }
  }

  get #checkpoint(): Checkpoint | undefined {
    const { sofar } = this
    const { promptTokens, channels } = this.#output
    if (!sofar || !channels) return undefined
    return {
      promptTokens,
      channels,
      ...this.#output.after(sofar),
      stats: this.stats.after(sofar),
      hasFailed: this.#hasFailed,
      finish: this.commit?.finish,
      untold: [...this.#correction(sofar)],
    }
  }

  /** A run that was begun elsewhere goes on here. */
  *takeUp({ checkpoint }: SavedRun): ReportedEvents {
    yield* checkpoint.untold
    yield* this.#wait(new UpstreamError('interrupted', 'the worker was restarted: the run goes on from what was said'))
    yield* this.#progress()
  }

  /** To be committed if the engine fails now: all that was said in this cycle; undefined where nobody could go on from it. */
  get sofar(): Commit | undefined {
    return this.#record.sofar
  }

  /** The engine has failed: `sofar` stands, and the run goes on from there. */
  *goOn(sofar: Commit, error: UpstreamError, elsewhere?: boolean): ReportedEvents {
    yield* this.#commit(sofar)
    this.#begin(0, undefined)
    yield* this.#wait(error, elsewhere)
    yield* this.#progress()
  }

  /** The draft has failed: the target writes on alone. */
  *undrafted(error: unknown): ReportedEvents {
    yield* this.#degrade('draft', error)
    yield* this.#progress()
  }

  *end(finish_reason: Finish): ReportedEvents {
    yield* this.#output.end()
    const { promptTokens: prompt_tokens, tokens: completion_tokens, reasoningTokens: reasoning_tokens } = this.#output
    const usage = { prompt_tokens, completion_tokens, ...(reasoning_tokens !== undefined && { reasoning_tokens }) }
    yield { type: 'run.completed', finish_reason, usage, stats: this.stats.now }
  }

  /**
   * The engine is away or too busy: told once, until it is back, or another has taken over. A run that waits to be let in may
   * still be refused.
   */
  *#wait(error: UpstreamError, elsewhere?: boolean): ReportedEvents {
    if (this.#isWaiting || !(this.#output.isOpen || elsewhere)) return
    this.#isWaiting = true
    yield* this.#note(this.tell(waiting(error, elsewhere), error))
  }

  *#degrade(part: 'draft' | 'judge', error: unknown): ReportedEvents {
    this.#hasFailed = true
    yield* this.#note(this.tell(degraded(part, error), error))
  }

  /** After `run.started` at the earliest. */
  *#note(told: RunEvent): ReportedEvents {
    if (this.#output.isOpen) yield told
    else this.#untold.push(told)
  }

  /** Logs what the client is about to be told. */
  tell(told: Parameters<typeof trouble>[0], error: unknown): RunEvent {
    const { runId, log } = this.#options
    log(trouble(told, runId, this.phase, error))
    return told
  }
}
