/** What an engine says of one cycle, held against what it was asked: it may be broken, or not what it pretends to be. */
import { UpstreamError } from './upstream.ts'
import type { Commit, Delta, DraftedStep, Verdict } from './upstream.ts'

/** What may be said in a cycle. */
export interface CycleLimits {
  /** Drafted steps. */
  steps: number
  /** Output tokens. */
  tokens: number
  /** Whether text may be held back, since a stop string may begin in it. */
  mayHold: boolean
  /** What earlier cycles held back; undefined where that is not known, as after a failure. */
  held: string | undefined
}

/** A ruling on a drafted step. */
export interface RuledStep extends Verdict {
  drafted: DraftedStep
}

/** No vocabulary has tokens longer than this; with it, what a run holds in memory is bounded by the tokens it asked for. */
const TOKEN_CHARACTERS = 1024
/** Text that came with earlier tokens, and was held back. */
const HELD_CHARACTERS = 2 ** 20
const STEP_CHARACTERS = 2 ** 16
/** A character whose bytes two steps share: whole in the text, and not in theirs. */
const BROKEN = '\uFFFD'

const NOTHING: Commit = {
  type: 'commit',
  accepted: 0,
  steps: 0,
  text: '',
  tokens: 0,
  correction: '',
  finish: undefined,
}

/** Everything throws {UpstreamError} `bad_event` for what was not asked for. */
export class CycleRecord {
  readonly steps: DraftedStep[] = []
  commit: Commit | undefined
  /** Text and tokens that deltas said; undefined where they did not say how many. */
  text = ''
  tokens: number | undefined = 0
  /** What is held back by now, as `CycleLimits` has it. */
  held: string | undefined
  readonly #limits: CycleLimits
  readonly #rulings: RuledStep[] = []
  /** Rulings that the client was told of. */
  #told = 0

  constructor(limits: CycleLimits) {
    this.#limits = limits
    this.held = limits.mayHold ? limits.held : ''
  }

  draft(step: DraftedStep): void {
    if (this.steps.length >= this.#limits.steps) throw bad('drafted more steps than it was asked for')
    if (step.text.length > STEP_CHARACTERS) throw bad('drafted a step that is too long for one')
    if (this.steps.some(({ id }) => id === step.id)) throw bad('drafted two steps of one name')
    this.steps.push(step)
  }

  rule(verdict: Verdict): void {
    this.#goesOn()
    const drafted = this.steps.find(({ id }) => id === verdict.step)
    if (!drafted) throw bad('ruled on a step that was not drafted')
    if (this.#rulings.some(({ step }) => step === verdict.step)) throw bad('ruled on a step twice')
    if ((verdict.target?.length ?? 0) > STEP_CHARACTERS) throw bad('wrote a step that is too long for one')
    this.#rulings.push({ ...verdict, drafted })
  }

  say({ text, tokens }: Delta): void {
    this.#goesOn()
    this.tokens = tokens === undefined || this.tokens === undefined ? undefined : this.tokens + tokens
    this.text += text
    this.#bounded(this.tokens ?? 0, this.text)
    if (this.#rulings.length > 0) this.#leftOut(this.text, this.#kept)
  }

  /** @returns the text that the deltas left out */
  end(commit: Commit): string {
    this.#goesOn()
    this.#bounded(commit.tokens, commit.text)
    if (!commit.text.startsWith(this.text)) throw bad('committed other text than it said')
    if (commit.tokens < (this.tokens ?? 0)) throw bad('committed fewer tokens than it said')
    if (commit.accepted > this.#accepted(this.#rulings)) throw bad('committed steps that were not accepted')
    this.#counted(commit)
    const left = this.#leftOut(commit.text, this.#kept + commit.correction)
    if (left && !this.#limits.mayHold) throw bad('committed less text than its steps have')
    this.held = left
    this.commit = commit
    return commit.text.slice(this.text.length)
  }

  /**
   * Rulings that can be told by now: an accepted step when all of it was said, a rejected one when something in its place was.
   * Told sooner, they would come twice where the engine fails in between.
   */
  *due(): Generator<RuledStep, void, undefined> {
    for (let next = this.#rulings[this.#told]; next && this.#isSaid(next); next = this.#rulings[++this.#told])
      yield next
  }

  /** What is to be committed if the engine fails now: all that was said; undefined where nobody could go on from it. */
  get sofar(): Commit | undefined {
    if (this.commit) return NOTHING
    if (this.tokens === undefined) return undefined
    const told = this.#rulings.slice(0, this.#told)
    const kept = told.filter(({ accepted }) => accepted).reduce((sum, { drafted }) => sum + drafted.text.length, 0)
    const { text, tokens } = this
    const accepted = this.#accepted(told)
    const correction = text.slice(kept)
    const steps = accepted + Number(correction !== '')
    return { type: 'commit', accepted, steps, text, tokens, correction, finish: undefined }
  }

  /** Of the drafted steps that were accepted. */
  get acceptedTokens(): number {
    return this.#rulings.reduce((sum, { accepted, drafted }) => sum + (accepted ? drafted.tokens : 0), 0)
  }

  #isSaid({ accepted }: RuledStep): boolean {
    if (this.commit || this.tokens === undefined) return true
    const before = this.#rulings.slice(0, this.#told + 1).filter((ruling) => ruling.accepted)
    const tokens = before.reduce((sum, { drafted }) => sum + drafted.tokens, 0)
    return this.text !== '' && (accepted ? this.tokens >= tokens : this.tokens > tokens)
  }

  #accepted(rulings: readonly RuledStep[]): number {
    return rulings.filter(({ accepted }) => accepted).length
  }

  /** Text of the drafted steps that were accepted. */
  get #kept(): string {
    return this.#rulings.map(({ accepted, drafted }) => (accepted ? drafted.text : '')).join('')
  }

  /** @returns what a text leaves out of the steps that it is to consist of, after what was held back; undefined where that cannot be told */
  #leftOut(text: string, steps: string): string | undefined {
    if (this.held === undefined) return undefined
    const whole = this.held + steps
    const [said, meant] = [text, whole].map((one) => one.split(BROKEN, 1)[0]!) as [string, string]
    if (!said.startsWith(meant) && !meant.startsWith(said)) throw bad('wrote other text than its steps have')
    const isBroken = said !== text || meant !== whole
    return isBroken ? undefined : whole.slice(text.length)
  }

  #counted({ accepted, steps, text, tokens, correction, reasoningTokens = 0, finish }: Commit): void {
    if (reasoningTokens > tokens) throw bad('committed fewer tokens than it counts as thinking')
    if (correction.length > text.length + STEP_CHARACTERS) throw bad('committed less text than its steps have')
    // What ends the text may stand in a step that others come after.
    const own = finish ? this.#limits.tokens : Math.max(tokens, text.length)
    if (steps < accepted || steps > accepted + own) throw bad('committed more or fewer steps than it wrote')
  }

  #goesOn(): void {
    if (this.commit) throw bad('went on after its commit')
  }

  #bounded(tokens: number, text: string): void {
    if (tokens > this.#limits.tokens) throw bad('wrote more tokens than it was asked for')
    const counted = this.tokens === undefined ? this.#limits.tokens : tokens
    if (text.length > HELD_CHARACTERS + TOKEN_CHARACTERS * counted)
      throw bad('wrote more text than its tokens can have')
  }
}

const bad = (what: string): UpstreamError => new UpstreamError('bad_event', `the backend ${what}`)
