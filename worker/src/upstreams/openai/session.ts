/** One text at OpenAI-compatible engines. They remember nothing of it but its prefix: the text is kept here. */
import { StepRules, leavable } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type * as domain from '../../lookahead/upstream.ts'
import type { Verifier } from '../../lookahead/verifiers/index.ts'
import type { Named } from './alternatives.ts'
import { Drafter } from './draft.ts'
import type { Step } from './cutter.ts'
import { capabilitiesOf } from './known.ts'
import { EMPTY, joined } from './passage.ts'
import type { Passage } from './passage.ts'
import { promptAt } from './prompt.ts'
import type { Server } from './server.ts'
import { StopWatch } from './stop-watch.ts'
import { verifierOf } from './ruling.ts'
import { Turn } from './turn.ts'
import { compareSteps, scoreSteps, writeAlone } from './verify.ts'
import type { Place } from './verify.ts'

export interface Engines {
  target: Server
  /** Undefined: there is none, and the target writes alone. */
  draft: Server | undefined
  verifiers: ReadonlyMap<string, Verifier>
}

type Events<Event> = AsyncGenerator<Event, void, undefined>

export class OpenAISession implements domain.Session {
  readonly #engines: Engines
  readonly #text: domain.Text
  readonly #rules: StepRules
  readonly #drafter: Drafter | undefined
  #opened: Promise<Omit<Place, 'output'>> | undefined
  #stops: StopWatch | undefined
  /** Committed, and said since by deltas. */
  #output: Passage = EMPTY
  #said: Passage = EMPTY
  /** Steps drafted after what is committed, by name. */
  readonly #drafted = new Map<string, Step>()
  #cycles = 0
  /** Ends all calls. */
  #calls = new AbortController()

  constructor(engines: Engines, text: domain.Text) {
    this.#engines = engines
    this.#text = text
    this.#drafter = engines.draft && new Drafter(engines.draft, text)
    this.#rules = text.steps ?? v.parse(StepRules, {})
  }

  draft(ahead: domain.Ahead, signal: AbortSignal): AsyncIterable<domain.DraftEvent> {
    return this.#leavable(signal, (either) => this.#withMoves(this.#drafts(ahead, either)))
  }

  async *#drafts(ahead: domain.Ahead, signal: AbortSignal): Events<domain.DraftEvent> {
    if (!this.#drafter) throw new UpstreamError('no_draft_model', 'no draft is set up: set DRAFT_URL')
    const started = performance.now()
    const place = await this.#place(signal)
    yield opened(place)
    this.#drafted.clear()
    const cycle = this.#cycles++
    for await (const { index, alternative, step } of this.#drafter.steps(place, ahead, signal)) {
      const id = [cycle, index, alternative ?? 0].join('-')
      this.#drafted.set(id, step)
      yield { type: 'step', id, index, alternative, text: step.text, tokens: step.tokens }
    }
    yield { type: 'done', work: { draftMs: performance.now() - started } }
  }

  verify(
    steps: AsyncIterable<domain.DraftedStep>,
    task: domain.Verification,
    signal: AbortSignal,
  ): AsyncIterable<domain.VerifyEvent> {
    return this.#leavable(signal, (either) => this.#withMoves(this.#verify(steps, task, either)))
  }

  async *#verify(
    steps: AsyncIterable<domain.DraftedStep>,
    { verifier: name, threshold, decode, maxTokens }: domain.Verification,
    signal: AbortSignal,
  ): Events<domain.VerifyEvent> {
    const started = performance.now()
    const verifier = verifierOf(this.#engines.verifiers, name, threshold)
    const drafted: Named[][] = []
    for await (const { id, index } of steps) {
      const step = this.#drafted.get(id)
      if (step) (drafted[index] ??= []).push({ id, step })
    }
    const place = await this.#place(signal)
    yield opened(place)
    const turn = this.#turn({ decode, maxTokens, signal })
    const isScored = verifier.kept !== undefined
    if (drafted.length === 0) yield* writeAlone(place, turn)
    else if (isScored) yield* scoreSteps(place, turn, verifier, drafted)
    else yield* compareSteps(place, turn, verifier, drafted)
    const { commit, judgeMs, forwards } = turn.end()
    this.#output = joined(this.#output, turn.passage)
    this.#said = EMPTY
    this.#drafted.clear()
    yield commit
    const targetMs = performance.now() - started - judgeMs
    yield { type: 'done', work: { draftMs: 0, targetMs, judgeMs, forwards, proposed: 0, accepted: 0 } }
  }

  recover(): boolean {
    this.#calls.abort()
    this.#calls = new AbortController()
    this.#output = joined(this.#output, this.#said)
    this.#said = EMPTY
    this.#drafted.clear()
    return this.#engines.target.isElsewhere
  }

  release(): Promise<void> {
    // Engines drop a text when its connection closes.
    this.#calls.abort()
    return Promise.resolve()
  }

  async #place(signal: AbortSignal): Promise<Place> {
    this.#opened ??= this.#open(signal)
    try {
      return { ...(await this.#opened), output: joined(this.#output, this.#said) }
    } catch (error) {
      this.#opened = undefined
      throw error
    }
  }

  async #open(signal: AbortSignal): Promise<Omit<Place, 'output'>> {
    const { target } = this.#engines
    if (this.#rules.sentences || this.#rules.reasoning?.sentences || this.#rules.answer?.sentences)
      throw new UpstreamError('invalid_request', 'steps that end with sentences need the GPU backend: use delimiters')
    const can = await capabilitiesOf(target)
    const prompt = await promptAt(target, can, this.#text, signal)
    this.#stops ??= new StopWatch(this.#text.stop, this.#text.stopInReasoning, prompt.channels)
    return { target, can, prompt, rules: this.#rules, sampling: this.#text.sampling, question: questionOf(this.#text) }
  }

  /** That the target was found at another address than before: told once the run is let in, and before what came from there. */
  async *#withMoves<Event extends { type: string }>(events: Events<Event>): Events<Event | domain.Away> {
    for await (const event of events) {
      if (event.type === 'opened') yield event
      const error = this.#engines.target.takeMoved()
      if (error) yield { type: 'away', error, elsewhere: true }
      if (event.type !== 'opened') yield event
    }
  }

  #turn({ decode, maxTokens, signal }: Pick<Turn, 'decode' | 'maxTokens' | 'signal'>): Turn {
    return new Turn({ decode, maxTokens, signal, stops: this.#stops!, said: (passage) => (this.#said = passage) })
  }

  #leavable<Event>(outer: AbortSignal, start: (signal: AbortSignal) => Events<Event>): AsyncIterable<Event> {
    const scope = new AbortController()
    const either = AbortSignal.any([outer, scope.signal, this.#calls.signal])
    return leavable(start(either), () => scope.abort())
  }
}

const opened = ({ prompt: { tokens, channels } }: Place): domain.Opened => ({
  type: 'opened',
  promptTokens: tokens,
  channels,
})

/** What the user asked last, for a judge. */
const questionOf = ({ messages, prompt }: domain.Text): string =>
  messages?.findLast(({ role }) => role === 'user')?.content ?? prompt ?? ''
