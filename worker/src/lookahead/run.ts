/** Lookahead Reasoning (arXiv 2506.19830) at the edge: draft, verify, commit, until the text ends. */
import { ChannelSplitter, leavable } from '@lookahead/sdk/protocol'
import type {
  ChannelDelta,
  Commit,
  DraftedStep,
  Leavable,
  RunEvent,
  RunRequest,
  Verdict,
  VerifyEvent,
  VerifyRequestInput,
} from '@lookahead/sdk/protocol'
import { BackendError } from './backend.ts'
import type { Backend } from './backend.ts'
import type { DepthPolicy } from './depth.ts'
import { Stats } from './stats.ts'
import { degraded, failed, trouble } from './trouble.ts'
import type { Phase, Trouble } from './trouble.ts'

export interface RunOptions {
  runId: string
  signal: AbortSignal
  /** Chooses each cycle's depth, up to the one asked for; may be shared by runs of one kind. Default: always that depth. */
  depths?: DepthPolicy | undefined
  /** Where an operator is told of what went wrong. Default: a line of JSON on the console. */
  log?: ((trouble: Trouble) => void) | undefined
}

/** What each mode asks of the backend: whether steps are drafted, and how tokens are speculated on inside steps. */
const plans = {
  ar: { steps: false, speculation: { drafted: false, ngram: 0, draft: 0 } },
  sd: { steps: false, speculation: { drafted: false, ngram: 8, draft: 16 } },
  lr: { steps: true, speculation: { drafted: false, ngram: 0, draft: 0 } },
  'lr+sd': { steps: true, speculation: { drafted: true, ngram: 8, draft: 16 } },
} as const

/**
 * One run, from the prompt to exactly one terminal event. A failing draft or judge costs speed, never the run.
 * Leaving it, also while a read waits, stops everything down to the backend.
 * @throws the signal's reason, when the client leaves; nothing else
 */
export function run(request: RunRequest, backend: Backend, options: RunOptions): Leavable<RunEvent> {
  const left = new AbortController()
  const signal = AbortSignal.any([options.signal, left.signal])
  return leavable(runEvents(request, backend, { ...options, signal }), () => left.abort())
}

async function* runEvents(
  request: RunRequest,
  backend: Backend,
  options: RunOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const { mode, depth, verifier } = request.lookahead
  yield { type: 'run.started', run_id: options.runId, mode, depth: plans[mode].steps ? depth : 0, verifier }
  const cycles = new Run(request, backend, options)
  let completed = false
  try {
    yield* cycles.run()
    completed = true
  } catch (error) {
    options.signal.throwIfAborted()
    yield cycles.tell(failed(error), error)
  } finally {
    // A completed run's context is gone already; any other would hold its slots until the backend finds it idle.
    if (!completed) await backend.release(options.runId)
  }
}

class Run {
  readonly #request: RunRequest
  readonly #backend: Backend
  readonly #options: RunOptions
  readonly #stats = new Stats()
  /** Token ids committed so far: what a backend that lost the context needs. */
  readonly #output: number[] = []
  #promptTokens = 0
  #steps = 0
  #channels: ChannelSplitter | undefined
  #opened = false
  /** Off once the draft or the judge has failed. */
  #lookahead: boolean
  #phase: Phase = 'decode'

  constructor(request: RunRequest, backend: Backend, options: RunOptions) {
    this.#request = request
    this.#backend = backend
    this.#options = options
    this.#lookahead = plans[request.lookahead.mode].steps
  }

  async *run(): AsyncGenerator<RunEvent, void, undefined> {
    for (;;) {
      const { depth, steps } = this.#plan()
      const started = performance.now()
      const drafted = depth > 0 ? yield* this.#draft(depth) : []
      const commit = yield* this.#verify(drafted, steps)
      this.#learn(drafted.length, commit, performance.now() - started)
      if (commit.finish_reason) {
        yield* texts(this.#channels?.flush() ?? [])
        const usage = { prompt_tokens: this.#promptTokens, completion_tokens: this.#output.length }
        yield { type: 'run.completed', finish_reason: commit.finish_reason, usage, stats: this.#stats.now }
        return
      }
      yield { type: 'run.stats', stats: this.#stats.now }
    }
  }

  /** Steps to draft ahead in the next cycle (0 is plain decoding), and steps the target writes after those it accepts. */
  #plan(): { depth: number; steps: number | 'end' } {
    if (!this.#lookahead) return { depth: 0, steps: 'end' }
    return this.#options.depths?.next() ?? { depth: this.#request.lookahead.depth, steps: 1 }
  }

  #learn(drafted: number, commit: Commit, ms: number): void {
    const { accepted, correction } = commit
    const tokens = commit.tokens.length
    // The last cycle is unlike the others: its steps are short, and where the token limit cut it, they went unjudged.
    if (commit.finish_reason) return
    // The first cycle reads the prompt too; a long one's time says nothing of the cycles to come.
    const readsMuch = this.#output.length === tokens && this.#promptTokens > tokens
    const steps = accepted + stepsIn(correction)
    this.#options.depths?.observe({ drafted, accepted, steps, tokens, ms: readsMuch ? undefined : ms })
  }

  async *#draft(depth: number): AsyncGenerator<RunEvent, DraftedStep[], undefined> {
    const steps: DraftedStep[] = []
    this.#phase = 'draft'
    try {
      const { sampling } = this.#request
      for await (const event of this.#call((context, signal) =>
        this.#backend.draft({ context, depth, sampling }, signal),
      )) {
        if (event.type === 'step') {
          steps.push(event)
          yield { type: 'step.drafted', step: this.#steps + event.index, text: event.text }
        }
        if (event.type === 'done') this.#stats.drafted(steps.length, event)
      }
      return steps
    } catch (error) {
      // The target is behind the same door.
      if (error instanceof BackendError && error.code === 'unauthorized') throw error
      yield this.#degrade('draft', error)
      return []
    }
  }

  async *#verify(drafted: DraftedStep[], steps: number | 'end'): AsyncGenerator<RunEvent, Commit, undefined> {
    const { sampling, stop, stop_in_reasoning, max_tokens, lookahead } = this.#request
    this.#phase = drafted.length > 0 ? 'verify' : 'decode'
    const request: Omit<VerifyRequestInput, 'context'> = {
      steps: drafted.map(({ id, text }) => ({ id, text })),
      verifier: lookahead.verifier,
      speculation: plans[lookahead.mode].speculation,
      decode: this.#lookahead ? steps : 'end',
      max_tokens: max_tokens - this.#output.length,
      stop,
      stop_in_reasoning,
      sampling,
    }
    let commit: Commit | undefined
    let said = ''
    for await (const event of this.#call((context, signal) => this.#backend.verify({ context, ...request }, signal))) {
      if (event.type === 'delta') {
        said += event.text
        yield* this.#say(event.text)
      }
      if (event.type === 'verdict') yield* this.#ruled(event, drafted[event.index])
      if (event.type === 'commit') {
        commit = event
        if (!commit.text.startsWith(said)) throw new BackendError('bad_event', 'the commit is not what the deltas said')
        yield* this.#say(commit.text.slice(said.length))
        const step = this.#steps + event.accepted
        if (drafted.length > 0 && event.correction) yield { type: 'step.corrected', step, text: event.correction }
        this.#steps = step + stepsIn(event.correction)
        this.#output.push(...event.tokens)
      }
      if (event.type === 'done') this.#stats.verified(commit?.accepted ?? 0, event)
    }
    if (!commit) throw new BackendError('no_commit', 'the backend ended a verification without a commit')
    if (commit.tokens.length === 0 && !commit.finish_reason)
      throw new BackendError('no_progress', 'the backend committed nothing, and did not end the text')
    return commit
  }

  *#say(text: string): Generator<RunEvent, void, undefined> {
    if (!this.#channels) throw new BackendError('bad_event', 'the backend sent text before its context')
    yield* texts(this.#channels.push(text))
  }

  *#ruled(
    { index, accepted, reason }: Verdict,
    drafted: DraftedStep | undefined,
  ): Generator<RunEvent, void, undefined> {
    if (!drafted) throw new BackendError('bad_event', 'the backend ruled on a step that was not drafted')
    yield { type: accepted ? 'step.accepted' : 'step.rejected', step: this.#steps + index, text: drafted.text, reason }
    if (reason === 'judge_failed' && this.#lookahead)
      yield this.#degrade('judge', new BackendError('judge_failed', 'the judge could not be asked'))
  }

  /** A call on the run's context: by name, or whole when it is new or the backend has lost it. */
  async *#call<Event extends { type: string }>(
    start: (context: VerifyRequestInput['context'], signal: AbortSignal) => AsyncIterable<Event>,
  ): AsyncGenerator<Event, void, undefined> {
    const { runId: id, signal } = this.#options
    try {
      yield* this.#noted(start(this.#opened ? { id, length: this.#output.length } : this.#whole(), signal))
    } catch (error) {
      // With a status, so before any event: text that is out must not come again.
      if (!(error instanceof BackendError && error.status === 409 && error.code === 'context_lost')) throw error
      yield* this.#noted(start(this.#whole(), signal))
    }
  }

  /** Passes events on, learning from the first one what the context is. */
  async *#noted<Event extends { type: string }>(
    events: AsyncIterable<Event | ContextEvent>,
  ): AsyncGenerator<Event, void, undefined> {
    for await (const event of events) {
      if (!isContext(event)) {
        yield event
        continue
      }
      this.#opened = true
      this.#promptTokens = event.prompt_tokens
      this.#channels ??= new ChannelSplitter(event)
    }
  }

  #whole(): VerifyRequestInput['context'] {
    const { messages, prompt } = this.#request
    return { id: this.#options.runId, messages, prompt, output: this.#output }
  }

  /** From here on the target decodes plainly. */
  #degrade(part: 'draft' | 'judge', error: unknown): RunEvent {
    this.#options.signal.throwIfAborted()
    this.#lookahead = false
    return this.tell(degraded(part, error), error)
  }

  /** Logs what the client is about to be told. */
  tell(told: Parameters<typeof trouble>[0], error: unknown): RunEvent {
    const { runId, log = (line) => console.error(JSON.stringify(line)) } = this.#options
    log(trouble(told, runId, this.#phase, error))
    return told
  }
}

type ContextEvent = Extract<VerifyEvent, { type: 'context' }>

const isContext = (event: { type: string }): event is ContextEvent => event.type === 'context'

/** How many steps a text holds, the unfinished last one included. */
const stepsIn = (text: string): number => text.split(/(?<=\n\n)/).filter((step) => step !== '').length

function* texts(deltas: ChannelDelta[]): Generator<RunEvent, void, undefined> {
  for (const { channel, text } of deltas) yield { type: 'text.delta', channel, text }
}
