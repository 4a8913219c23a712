/** What happens between two fresh starts of the draft, by the clock. */
import type { Branch, Branches, Forward } from './branches.ts'
import type { Step } from './text.ts'
import type { Way, World } from './world.ts'

export interface Span {
  part: 'draft' | 'target' | 'judge' | 'wire'
  /** Milliseconds since the run began. */
  from: number
  to: number
}

export interface StageResult {
  end: number
  /** Places of the text that are done. */
  committed: number
  /** Of them, drafted steps that were accepted. */
  accepted: number
  /** Steps and tokens drafted, whatever became of them. */
  drafted: number
  draftedTokens: number
  /** Steps compared. */
  judged: number
}

export interface StageTask {
  /** The rest of the text. */
  steps: readonly Step[]
  /** Tokens of text before it. */
  position: number
  way: Way
  world: World
  branches: Branches
  onSpan: (span: Span) => void
  onForward: (forward: Forward) => void
}

interface Draft {
  start: number
  end: number
}

/**
 * From a fresh start of the draft to the next: `sync`, one cycle; `async`, up to the first refused step. A drafted step goes
 * by way of the worker to the target, and `async` a verdict by way of the worker to the draft.
 */
export class Stage {
  readonly #task: StageTask
  readonly #begin: number
  readonly #drafts: Draft[] = []
  readonly #targets: Branch[] = []
  /** When each verdict was there, in order. */
  readonly #decided: number[] = []
  #judged = 0

  constructor(begin: number, task: StageTask) {
    this.#begin = begin
    this.#task = task
  }

  run(): StageResult {
    const { branches, onSpan, onForward } = this.#task
    let now = this.#begin
    for (;;) {
      this.#draftAhead()
      this.#expand()
      const open = this.#targets.filter((target) => target.done === undefined)
      const ready = open.filter((target) => target.ready <= now)
      if (ready.length === 0) now = Math.min(...open.map((target) => target.ready))
      else {
        const forward = branches.forward(ready, now)
        now = forward.to
        onForward(forward)
        onSpan({ part: 'target', from: forward.from + forward.guessing, to: now })
        if (forward.guessing > 0) onSpan({ part: 'draft', from: forward.from, to: forward.from + forward.guessing })
      }
      const result = this.#decide()
      if (result) return result
    }
  }

  /** Drafts are written one after another, as far ahead as they may be. */
  #draftAhead(): void {
    const { steps, way, world } = this.#task
    const most = Math.min(steps.length, way.kind === 'sync' ? way.depth : this.#decided.length + way.depth)
    while (this.#drafts.length < most) {
      const confirmed = this.#decided[this.#drafts.length - way.depth] ?? -Infinity
      const start = Math.max(this.#drafts.at(-1)?.end ?? this.#begin, confirmed + world.roundTrip)
      this.#drafts.push({ start, end: start + steps[this.#drafts.length]!.drafted * world.draftToken })
    }
  }

  /** The target's versions, of steps whose prefix is drafted: of as many as drafts, and `sync` of one more. */
  #expand(): void {
    const { steps, way, position } = this.#task
    const most = way.kind === 'sync' ? Math.min(steps.length, way.depth + 1) : this.#drafts.length
    for (let i = this.#targets.length; i < most; i++) {
      const before = this.#targets.at(-1)
      const at = before ? before.position + before.left : position
      this.#targets.push({ ready: this.#readyAt(i), ...this.#toWrite(i), position: at, done: undefined })
    }
  }

  #readyAt(i: number): number {
    const { way, world } = this.#task
    if (this.#drafts.length === 0) return this.#begin
    if (way.kind === 'sync') return this.#drafts.at(-1)!.end + world.roundTrip
    if (way.reuse) return this.#drafts[i]!.end + world.roundTrip
    return i === 0 ? this.#begin : this.#drafts[i]!.start + world.roundTrip
  }

  /** The first forward reads what was drafted before, or, where it is taken for guesses, the drafted step itself. */
  #toWrite(i: number): Pick<Branch, 'unread' | 'first' | 'left'> {
    const { steps, way } = this.#task
    const { drafted, own, agreed, accepted } = steps[i]!
    if (way.reuse && i > 0 && i === this.#drafts.length) return { unread: 1, first: 1, left: own }
    if (!way.reuse) return { unread: steps[i - 1]?.drafted ?? 0, first: 1, left: own }
    const first = Math.min(own, agreed + 1)
    return { unread: drafted, first, left: accepted && way.ownVersions === 'refused' ? first : own }
  }

  /** Verdicts in order, up to the one that ends the stage. */
  #decide(): StageResult | undefined {
    const { steps, way, world, onSpan } = this.#task
    for (;;) {
      const i = this.#decided.length
      const [target, draft, step] = [this.#targets[i], this.#drafts[i], steps[i]!]
      if (target?.done === undefined) return undefined
      if (!draft) return this.#result(Math.max(target.done, this.#decided.at(-1) ?? 0), i)
      const from = Math.max(target.done, way.reuse ? draft.end : draft.end + world.roundTrip)
      const isSame = way.reuse && step.agreed === step.own
      const judged = isSame ? 0 : world.judge
      if (!isSame) this.#judged++
      if (judged > 0) onSpan({ part: 'judge', from, to: from + judged })
      const at = Math.max(from + judged, this.#decided.at(-1) ?? 0)
      this.#decided.push(at)
      if (!step.accepted) return this.#result(at, i)
      if (i + 1 === steps.length) return this.#result(at, i + 1)
    }
  }

  #result(end: number, accepted: number): StageResult {
    const { steps, onSpan } = this.#task
    const drafts = this.#drafts.filter(({ start }) => start < end)
    for (const { start, end: to } of drafts) onSpan({ part: 'draft', from: start, to: Math.min(to, end) })
    const draftedTokens = drafts.reduce((sum, _, i) => sum + steps[i]!.drafted, 0)
    const committed = Math.min(steps.length, accepted + 1)
    return { end, committed, accepted, drafted: drafts.length, draftedTokens, judged: this.#judged }
  }
}
