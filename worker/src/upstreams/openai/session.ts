/** One text at OpenAI-compatible engines. They remember nothing of it but its prefix: the text is kept here. */
import { StepRules, leavable } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type * as domain from '../../lookahead/upstream.ts'
import type { Verifier } from '../../lookahead/verifiers/index.ts'
import type { Named } from './alternatives.ts'
import { Drafter } from './draft.ts'
import type { Step } from './cutter.ts'
import { tooLong } from './failure.ts'
import { capabilitiesOf } from './capabilities.ts'
import { EMPTY, joined } from './passage.ts'
import type { Passage } from './passage.ts'
import { promptAt } from './prompt.ts'
import type { Capabilities } from './probe.ts'
import { roomAfter } from './room.ts'
import { canScore } from './scores.ts'
import type { Server } from './server.ts'
import { StopScanner } from './stop-scanner.ts'
import { verifierOf } from './ruling.ts'
import { Stopwatch } from './stopwatch.ts'
import { CommitBuilder } from './commit-builder.ts'
import { goOn } from './verify.ts'
import type { TextState } from './verify.ts'

export interface Engines {
  target: Server
  /** Undefined: there is none, and the target writes alone. */
  draft: Server | undefined
  verifiers: ReadonlyMap<string, Verifier>
  /** The one that needs the least of the target. */
  fallback: string
}

type Events<Event> = AsyncGenerator<Event, void, undefined>

export class OpenAISession implements domain.Session {
  readonly #engines: Engines
  readonly #text: domain.TextRequest
  readonly #rules: StepRules
  readonly #drafter: Drafter | undefined
  #opened: Promise<Omit<TextState, 'output'>> | undefined
  #stops: StopScanner | undefined
  /** Committed, and said since by deltas. */
  #output: Passage = EMPTY
  #said: Passage = EMPTY
  /** Steps drafted after what is committed, by name. */
  readonly #drafted = new Map<string, Step>()
  #cycles = 0
  /** Whether it was told that the target has let the text in. */
  #isOpen = false
  /** Ends all calls. */
  #calls = new AbortController()

  constructor(engines: Engines, text: domain.TextRequest) {
    this.#engines = engines
    this.#text = text
    this.#drafter = engines.draft && new Drafter(engines.draft, text)
    this.#rules = text.steps ?? v.parse(StepRules, {})
  }

  draft(ahead: domain.Ahead, signal: AbortSignal): AsyncIterable<domain.DraftEvent> {
    return this.#leavable(signal, (either) => this.#drafts(ahead, either))
  }

  async *#drafts(ahead: domain.Ahead, signal: AbortSignal): Events<domain.DraftEvent> {
    if (!this.#drafter) throw new UpstreamError('no_draft_model', 'no draft is set up: set DRAFT_URL')
    const state = await this.#state(signal)
    if (!this.#isOpen) yield this.#tellOpen(state)
    this.#drafted.clear()
    const cycle = this.#cycles++
    const stopwatch = new Stopwatch()
    for await (const { index, alternative, step } of stopwatch.times(this.#drafter.steps(state, ahead, signal))) {
      const id = [cycle, index, alternative ?? 0].join('-')
      this.#drafted.set(id, step)
      yield { type: 'step', id, index, alternative, text: step.text, tokens: step.tokens }
    }
    yield { type: 'done', work: { draftMs: stopwatch.ms } }
  }

  verify(
    steps: AsyncIterable<domain.DraftedStep>,
    task: domain.Verification,
    signal: AbortSignal,
  ): AsyncIterable<domain.VerifyEvent> {
    return this.#leavable(signal, (either) => this.#verify(steps, task, either))
  }

  async *#verify(
    steps: AsyncIterable<domain.DraftedStep>,
    { verifier: name, threshold, decode, maxTokens }: domain.Verification,
    signal: AbortSignal,
  ): Events<domain.VerifyEvent> {
    const asked = verifierOf(this.#engines.verifiers, name, threshold)
    const drafted: Named[][] = []
    for await (const { id, index } of steps) {
      const step = this.#drafted.get(id)
      if (step) (drafted[index] ??= []).push({ id, step })
    }
    const state = await this.#state(signal)
    const verifier =
      state.verifier === undefined ? asked : verifierOf(this.#engines.verifiers, state.verifier, undefined)
    const wasOpen = this.#isOpen
    if (!wasOpen) yield this.#tellOpen(state)
    const room = roomAfter(joined(state.prompt, state.output).ids, state.can)
    const builder = this.#builder({ decode, maxTokens: Math.min(maxTokens, room), signal })
    const stopwatch = new Stopwatch()
    const written = stopwatch.times(goOn(state, builder, verifier, drafted))
    // Told again only with what comes of it: until then the target may be waited for.
    yield* wasOpen ? preceded(this.#tellOpen(state), written) : written
    const { commit, judgeMs, forwards } = builder.build()
    this.#output = joined(this.#output, builder.passage)
    this.#said = EMPTY
    this.#drafted.clear()
    yield commit
    const targetMs = stopwatch.ms - judgeMs
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

  async #state(signal: AbortSignal): Promise<TextState> {
    this.#opened ??= this.#open(signal)
    try {
      return { ...(await this.#opened), output: joined(this.#output, this.#said) }
    } catch (error) {
      this.#opened = undefined
      throw error
    }
  }

  async #open(signal: AbortSignal): Promise<Omit<TextState, 'output'>> {
    const { target } = this.#engines
    if (this.#rules.sentences || this.#rules.reasoning?.sentences || this.#rules.answer?.sentences)
      throw new UpstreamError('invalid_request', 'steps that end with sentences need the GPU backend: use delimiters')
    const can = await capabilitiesOf(target)
    const prompt = await promptAt(target, can, this.#text, signal)
    if (roomAfter(prompt.ids, can) <= 0) throw tooLong(target.role)
    this.#stops ??= new StopScanner(this.#text.stop, this.#text.stopInReasoning, prompt.channels)
    const { sampling } = this.#text
    const verifier = await this.#insteadOfLikelihood(can)
    return { target, can, prompt, rules: this.#rules, sampling, question: questionOf(this.#text), verifier }
  }

  /** Where none was named, and the target cannot do what it takes, or fails at it now. */
  async #insteadOfLikelihood(can: Capabilities): Promise<string | undefined> {
    const { target, draft, fallback } = this.#engines
    const isLikelihood = !this.#text.anyVerifier || !draft || (await canScore(target, can).catch(() => false))
    return isLikelihood ? undefined : fallback
  }

  #tellOpen({ prompt: { tokens, channels }, verifier }: TextState): domain.Opened {
    this.#isOpen = true
    return { type: 'opened', promptTokens: tokens, channels, verifier }
  }

  #builder({ decode, maxTokens, signal }: Pick<CommitBuilder, 'decode' | 'maxTokens' | 'signal'>): CommitBuilder {
    return new CommitBuilder({
      decode,
      maxTokens,
      signal,
      stops: this.#stops!,
      said: (passage) => (this.#said = passage),
    })
  }

  #leavable<Event>(
    outer: AbortSignal,
    start: (signal: AbortSignal) => Events<Event>,
  ): AsyncIterable<Event | domain.Away> {
    const scope = new AbortController()
    const either = AbortSignal.any([outer, scope.signal, this.#calls.signal])
    return leavable(this.#engines.target.awayEvents.mergedWith(start(either)), () => scope.abort())
  }
}

async function* preceded<First, Event>(first: First, events: Events<Event>): Events<First | Event> {
  let isFirst = true
  for await (const event of events) {
    if (isFirst) yield first
    isFirst = false
    yield event
  }
}

/** What the user asked last, for a judge. */
const questionOf = ({ messages, prompt }: domain.TextRequest): string =>
  messages?.findLast(({ role }) => role === 'user')?.content ?? prompt ?? ''
