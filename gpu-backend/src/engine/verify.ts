import type { VerifyEvent, VerifyRequest } from '@lookahead/sdk/protocol'
import { judged, ruleExactly, ruleWithoutJudge, unjudged } from '../verifier/verdict.ts'
import type { Context } from './contexts.ts'
import { distribution, sample } from './distribution.ts'
import type { Distribution, SamplingParameters } from './distribution.ts'
import { opening } from './draft.ts'
import type { Engine } from './engine.ts'
import { StepNoise } from './noise.ts'
import { GUESS_STREAM, MOST_DRAFTED, chooseSpeculator } from './proposers/index.ts'
import type { Speculator } from './proposers/index.ts'
import { Random } from './random.ts'
import { SpeculationCounts, accept } from './speculation.ts'
import type { Guess } from './speculation.ts'
import { StepWriter } from './step.ts'
import type { DraftStep } from './step.ts'
import { ownTokens, pending } from './target-step.ts'
import type { TargetStep } from './target-step.ts'
import { Timer } from './timer.ts'
import { Tree } from './tree.ts'

const STREAM = 2

/** Text is sent at most this often: an event a token would cost more than the token. */
const DELTA_MS = 20

interface SampledStep extends TargetStep {
  random: Random
  /** Draws the step's next token from the target's distribution. */
  draw: (p: Distribution) => number
  speculator: Speculator
}

/**
 * Lookahead Reasoning's verification (arXiv 2506.19830, Algorithm 1): the target writes its own version of every drafted
 * step, each after the drafted steps before it, and of one step more, all in one packed batch; the verifier rules; the
 * steps up to the first rejected one are kept, and the target's version stands in that one's place.
 */
export class Verification {
  readonly #engine: Engine
  readonly #context: Context
  readonly #request: VerifyRequest
  readonly #signal: AbortSignal
  readonly #parameters: SamplingParameters
  readonly #tree: Tree
  readonly #drafts: readonly DraftStep[]
  readonly #room: number
  readonly #timer = new Timer()
  readonly #speculation = new SpeculationCounts()
  #steps: SampledStep[] = []

  constructor(engine: Engine, context: Context, request: VerifyRequest, signal: AbortSignal) {
    this.#engine = engine
    this.#context = context
    this.#request = request
    this.#signal = signal
    this.#parameters = engine.sampling(request.sampling, context)
    this.#room = Math.min(request.max_tokens, engine.target.capacity - context.tokens.length)
    this.#drafts = this.#draftSteps()
    this.#tree = new Tree(engine.target, { signal, most: this.#mostWritten(this.#drafts) })
  }

  async *run(): AsyncGenerator<VerifyEvent, void, undefined> {
    const { tokenizer, generation } = this.#engine.target.model
    const text = this.#context.text(tokenizer, this.#request.stop)
    const certain: number[] = []
    let committedText = ''
    let delta = ''
    let sentAt = 0
    let ruled = 0
    yield opening(this.#context)
    try {
      await this.#open()
      for (;;) {
        await this.#rule()
        for (const [index, step] of this.#standing.entries())
          if (index === ruled && step.ruling) yield { type: 'verdict', index: ruled++, ...step.ruling }
        for (const token of this.#certain().slice(certain.length, this.#room)) {
          if (text.stopped) break
          certain.push(token)
          delta += text.push(token)
        }
        if (text.stopped || this.#decided) break
        if (delta && performance.now() - sentAt >= DELTA_MS) {
          yield { type: 'delta', text: delta }
          committedText += delta
          delta = ''
          sentAt = performance.now()
        }
        await this.#advance()
        this.#signal.throwIfAborted()
      }
      const ended = text.stopped || generation.eosTokenIds.includes(certain.at(-1) ?? -1)
      const finish = ended ? 'stop' : certain.length >= this.#room ? 'length' : null
      if (finish) delta += text.flush()
      if (delta) yield { type: 'delta', text: delta }
      const last = this.#standing.at(-1)
      const accepted = this.#standing.filter((step) => step.ruling?.accepted).length
      const correction = last && !last.ruling?.accepted ? last.writer.text : ''
      this.#commit(certain)
      yield {
        type: 'commit',
        accepted,
        text: committedText + delta,
        tokens: certain,
        correction,
        finish_reason: finish,
      }
      yield this.#done(certain.length)
    } finally {
      for (const { speculator } of this.#steps) speculator.close()
      this.#tree.release()
    }
  }

  /** Tokens that the target's versions may have, all together, guesses included. */
  #mostWritten(drafts: readonly DraftStep[]): number {
    const { decode, step_tokens, speculation } = this.#request
    const guesses = Math.max(speculation.ngram, speculation.draft, MOST_DRAFTED)
    let start = 0
    let most = 0
    for (const { tokens } of drafts) {
      most += Math.min(step_tokens + guesses, this.#room - start)
      start += tokens.length
    }
    const steps = decode === 'end' ? Infinity : decode
    return most + Math.min(step_tokens * steps + guesses, this.#room - start)
  }

  /** Drafted steps by id, or from their text, as many as there is room for. */
  #draftSteps(): DraftStep[] {
    const { model, capacity } = this.#engine.target
    const { tokenizer } = model
    const steps: DraftStep[] = []
    let used = 0
    for (const { id, text } of this.#request.steps) {
      const step = (id === undefined ? undefined : this.#context.drafts.get(id)) ?? fromText(text)
      if (step.tokens.length === 0 || (used += step.tokens.length) >= this.#room || steps.at(-1)?.end === 'text') break
      if (this.#context.tokens.length + used + this.#mostWritten([...steps, step]) > capacity) break
      steps.push(step)
    }
    return steps

    function fromText(text: string, delimiter = '\n\n'): DraftStep {
      const tokens = tokenizer.encode(text)
      return {
        tokens,
        text,
        end: text.endsWith(delimiter) ? 'delimiter' : 'cap',
        distributions: tokens.map(() => undefined),
      }
    }
  }

  /** One forward over all drafted tokens; where the target would have written them, they are its own (design §4). */
  async #open(): Promise<void> {
    const chain = this.#drafts.flatMap((draft) => draft.tokens)
    const starts = [0]
    for (const draft of this.#drafts) starts.push(starts.at(-1)! + draft.tokens.length)
    if (this.#drafts.at(-1)?.end === 'text') starts.pop()
    const wanted = this.#request.speculation.drafted ? Array.from({ length: chain.length + 1 }, (_, i) => i) : starts
    const rows = await this.#timer.time('target', () => this.#tree.prefill(this.#context.tokens, chain, wanted))
    const logits = new Map(wanted.map((n, i) => [n, rows[i]!]))
    this.#steps = starts.map((start, j) => this.#expand(j, start, (i) => logits.get(start + i)!))
  }

  #expand(index: number, start: number, logits: (i: number) => Float32Array): SampledStep {
    const { model } = this.#engine.target
    const draft = this.#drafts[index]
    const { decode, delimiter, step_tokens } = this.#request
    const steps = draft ? 1 : decode === 'end' ? Infinity : decode
    const writer = new StepWriter(model.tokenizer, {
      delimiter,
      steps,
      cap: step_tokens * steps,
      room: this.#room - start,
      endOfText: model.generation.eosTokenIds,
    })
    const { seed } = this.#parameters
    const { drafted, ngram, draft: most } = this.#request.speculation
    const random = new Random(seed, STREAM, this.#context.outputLength + start)
    const noise = new StepNoise(seed, this.#context.outputLength, index)
    // Drafted tokens carry the noise they were drawn with: where they are guesses, the target must not draw with it too.
    const draw = (p: Distribution): number =>
      drafted || ngram > 0 || most > 0 ? sample(p, random.next()) : noise.draw(p, writer.tokens.length)
    const guesses = draft && drafted ? draft.tokens.map((token, i) => ({ token, q: draft.distributions[i] })) : []
    const p = (i: number) => distribution(logits(i), this.#parameters)
    const { accepted, next } = accept(guesses, p, random, guesses.length === 0 ? draw : undefined)
    this.#speculation.add(guesses.length, accepted)
    for (const { token } of guesses.slice(0, accepted)) writer.push(token)
    if (next !== undefined) writer.push(next)
    const leaf = this.#tree.leaf(start + accepted)
    const speculator = this.#speculator(start, drafted ? draft?.tokens.slice(accepted) : undefined)
    return { draft, start, writer, agreed: accepted, leaf, ruling: undefined, random, draw, speculator }
  }

  /** @param drafted tokens of the drafted step that may be guesses */
  #speculator(start: number, drafted?: readonly number[]): Speculator {
    const { speculation, sampling } = this.#request
    return chooseSpeculator(this.#engine, {
      ...speculation,
      drafted,
      decoder: this.#engine.target,
      lengths: this.#context.lengths,
      seeded: sampling.seed !== undefined,
      came: this.#tree.age.came,
      distribution: (logits) => distribution(logits, this.#parameters),
      random: new Random(this.#parameters.seed, GUESS_STREAM, this.#context.outputLength + start),
      signal: this.#signal,
    })
  }

  /** One packed forward: every open step gets its next token, and the guesses after it that prove right. */
  async #advance(): Promise<void> {
    const open = this.#standing.filter((step) => !step.writer.end)
    const guesses = await this.#guess(open)
    const work = open.map((step, i) => ({
      leaf: step.leaf!,
      tokens: [...pending(step), ...guesses[i]!.map(({ token }) => token)],
    }))
    const logits = await this.#timer.time('target', () => this.#tree.advance(work))
    this.#engine.costs.forwardTook(logits.flat().length, this.#tree.forwardMs)
    for (const [i, step] of open.entries()) this.#keep(step, guesses[i]!, logits[i]!)
  }

  /** Guesses for all these steps, made at the same time. */
  async #guess(open: readonly SampledStep[]): Promise<Guess[][]> {
    if (open.every(({ speculator }) => speculator.silent)) return open.map(() => [])
    const guesses = await this.#timer.time('draft', () =>
      Promise.allSettled(
        open.map(({ start, writer, speculator }) => {
          const text = [...this.#context.tokens, ...this.#tree.chain.tokens.slice(0, start), ...writer.tokens]
          return speculator.propose(text, this.#room - start - writer.tokens.length - 1, open.length)
        }),
      ),
    )
    // No one may still be at work when the slots are given back, so all are waited for before one's failure counts.
    return guesses.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  /** The guesses that prove right, and the token after them, become the step's. `logits` ends with one row a guess and one more. */
  #keep(step: SampledStep, guesses: readonly Guess[], logits: readonly Float32Array[]): void {
    const { writer, speculator } = step
    const leaf = step.leaf!
    const p = (i: number) => distribution(logits[logits.length - guesses.length - 1 + i]!, this.#parameters)
    const { accepted, next } = accept(guesses, p, step.random, step.draw)
    this.#speculation.add(guesses.length, accepted)
    speculator.observe(guesses.length, accepted)
    this.#tree.trim(leaf, leaf.tokens.length - guesses.length + accepted)
    for (const { token } of guesses.slice(0, accepted)) writer.push(token)
    if (next !== undefined) writer.push(next)
    this.#tree.trim(leaf, Math.min(leaf.tokens.length, ownTokens(step).length))
    if (writer.end) speculator.close()
  }

  /** Rules on every step that can be ruled; the judge is asked about all that need it in one forward. */
  async #rule(): Promise<void> {
    const { verifier } = this.#request
    const unclear: (TargetStep & { draft: DraftStep })[] = []
    for (const step of this.#standing) {
      const { draft, writer } = step
      if (step.ruling || !draft) continue
      step.ruling = verifier === 'exact' ? ruleExactly(draft, writer) : ruleWithoutJudge(draft, writer)
      if (!step.ruling && writer.end && verifier === 'judge') unclear.push({ ...step, draft })
    }
    if (unclear.length === 0) return
    const rulings = await this.#judge(unclear.map(({ draft, writer }) => ({ target: writer.text, draft: draft.text })))
    for (const [i, { start }] of unclear.entries())
      this.#steps.find((step) => step.start === start)!.ruling = rulings[i]!
  }

  async #judge(pairs: { target: string; draft: string }[]) {
    const { judge } = this.#engine
    if (!judge) return pairs.map(() => unjudged)
    try {
      return (await this.#timer.time('judge', () => judge.rule(pairs, this.#signal))).map(judged)
    } catch (error) {
      this.#signal.throwIfAborted()
      console.error('the judge failed:', error)
      return pairs.map(() => unjudged)
    }
  }

  /** Steps that may still be committed: up to the first rejected one. */
  get #standing(): SampledStep[] {
    const rejected = this.#steps.findIndex((step) => step.ruling?.accepted === false)
    return rejected < 0 ? this.#steps : this.#steps.slice(0, rejected + 1)
  }

  /** Whether every standing step is settled: accepted, or the target's own and finished. */
  get #decided(): boolean {
    return this.#standing.every((step) => step.ruling?.accepted || ((step.ruling || !step.draft) && step.writer.end))
  }

  /** Output tokens that no later verdict can change. */
  #certain(): number[] {
    const tokens: number[] = []
    for (const { draft, writer, agreed, ruling } of this.#standing) {
      if (draft && ruling?.accepted) tokens.push(...draft.tokens)
      else return [...tokens, ...(draft && !ruling ? writer.tokens.slice(0, agreed) : writer.tokens)]
    }
    return tokens
  }

  /** The committed tokens become context; those that stand in slots already keep them. */
  #commit(tokens: readonly number[]): void {
    const last = this.#standing.at(-1)!
    const kept = last.ruling?.accepted ? this.#tree.chain.tokens.length : last.start + last.agreed
    this.#tree.commit(kept, last.ruling?.accepted ? undefined : last.leaf)
    this.#context.tokens.push(...tokens)
    this.#context.drafts.clear()
  }

  #done(completionTokens: number): VerifyEvent {
    const timer = this.#timer
    const { costs } = this.#engine
    const { drafts, proposed, accepted, perPosition, meanLength } = this.#speculation
    return {
      type: 'done',
      usage: { prompt_tokens: this.#context.promptLength, completion_tokens: completionTokens },
      timings: {
        total_ms: timer.total,
        draft_ms: timer.ms('draft'),
        target_ms: timer.ms('target'),
        judge_ms: timer.ms('judge'),
        forwards: timer.count('target'),
        token_ms: costs.measured ? costs.forward(1) / this.#speculator(0).gain : undefined,
      },
      speculation: {
        drafts,
        proposed,
        accepted,
        accepted_per_position: perPosition,
        mean_length: meanLength,
      },
    }
  }
}
