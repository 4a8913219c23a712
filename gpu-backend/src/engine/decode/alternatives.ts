/**
 * Several steps drafted for one place (Lookahead Reasoning's multi-branch drafting, arXiv 2506.19830, §3): the first goes on
 * as the chain, the others are leaves beside it, so that depth d and width W are d·W drafted steps, not W^d. The target
 * writes its version of the place once, for all of them. They are ruled on in order, and the first that is accepted is kept;
 * where it is not the first of all, the cycle ends with it, since nothing was drafted after it.
 */
import type { Ruling } from '@lookahead/worker/verifiers'
import type { Scores } from '../../model/index.ts'
import { numbered } from '../events.ts'
import type { VerdictGiven } from '../events.ts'
import type { Guess } from '../speculation/accept.ts'
import type { DraftStep } from '../text/step.ts'
import type { Leaf, Tree } from './tree.ts'

/** One of the steps drafted for a place. */
export class Alternative {
  readonly draft: DraftStep
  /** Which of them, as the request numbers them. */
  readonly number: number
  /** Its first tokens, which stand in the chain: those that it has in common with the first one. */
  readonly shared: number
  /** Else it was cut where room ends: it is a guess of the target's tokens, and never ruled on. */
  readonly isWhole: boolean
  /** Whether the target finds it unlikely. */
  unlikely = false
  ruling: Ruling | undefined
  /** Where its other tokens stand, if the target has read them, and the scores after each. */
  read: { leaf: Leaf; scores: readonly Scores[] } | undefined

  constructor({ step, number, isWhole }: FittedStep, first: DraftStep) {
    this.draft = step
    this.number = number
    this.isWhole = isWhole
    this.shared = inCommon(first.tokens, step.tokens)
  }

  /** Its tokens on the leaf, as guesses of the target's. */
  get guesses(): Guess[] {
    const { tokens, distributions } = this.draft
    return tokens.slice(this.shared).map((token, i) => ({ token, q: distributions[this.shared + i] }))
  }

  /** The leaf, as long as nothing else stands there. */
  get leaf(): Leaf | undefined {
    const own = this.draft.tokens.slice(this.shared)
    return this.read?.leaf.tokens.every((token, i) => token === own[i]) ? this.read.leaf : undefined
  }

  /** Scores before its `i`-th token. @param ofChain scores after the first `i` tokens of the first alternative */
  scores(i: number, ofChain: (i: number) => Scores): Scores {
    return i <= this.shared ? ofChain(i) : this.read!.scores[i - this.shared - 1]!
  }
}

/** What was drafted for one place, in the order in which it is ruled on; nothing, after the last drafted step. */
export class Alternatives {
  /** Those that are ruled on. */
  readonly all: readonly Alternative[]
  /** All but the first, cut ones included. */
  readonly others: readonly Alternative[]

  constructor(first: DraftStep | undefined, others: readonly FittedStep[] = []) {
    const fitted = first ? [{ step: first, number: 0, isWhole: true }, ...others] : []
    const made = fitted.map((one) => new Alternative(one, first!))
    this.all = made.filter(({ isWhole }) => isWhole)
    this.others = made.slice(1)
  }

  /** The one that the chain goes on from. */
  get first(): Alternative | undefined {
    return this.all[0]
  }

  /** Scores of what was read are of no more use. */
  forget(): void {
    for (const one of this.others) one.read &&= { ...one.read, scores: [] }
  }

  /** Whether what hangs on the first one is void. */
  get isFirstRejected(): boolean {
    return this.first?.ruling?.accepted === false
  }

  /** The one that is kept: the first accepted, once all before it are rejected. */
  get accepted(): Alternative | undefined {
    const ruled = this.all.find(({ ruling }) => ruling?.accepted !== false)
    return ruled?.ruling && ruled
  }

  /** Those on which a ruling is wanted. */
  get open(): readonly Alternative[] {
    const known = this.all.findIndex(({ ruling }) => ruling?.accepted)
    return this.all.slice(0, known < 0 ? Infinity : known).filter(({ ruling }) => !ruling)
  }

  /** Rulings that no other can change, in order. */
  get ruled(): readonly Alternative[] {
    const { accepted } = this
    const count = accepted ? this.all.indexOf(accepted) + 1 : this.all.findIndex(({ ruling }) => !ruling)
    return count < 0 ? this.all : this.all.slice(0, count)
  }
}

/** A step, as far as there is room for it. */
export interface FittedStep {
  step: DraftStep
  number: number
  /** Whether all of it is there. */
  isWhole: boolean
}

/**
 * The further alternatives of a step, as far as there is room: each once, and none that is the first over again.
 * @param room tokens that one may have, and that all together may have
 * @param cut its first tokens; undefined: one for which there is no room is left out
 */
export function furtherAlternatives(
  first: DraftStep,
  room: { each: number; all: number },
  cut: ((step: DraftStep, length: number) => DraftStep | undefined) | undefined,
): FittedStep[] {
  const seen = [first.tokens]
  const kept: FittedStep[] = []
  let left = room.all
  for (const [i, whole] of (first.alternatives ?? []).entries()) {
    if (whole.tokens.length === 0 || seen.some((tokens) => isSame(tokens, whole.tokens))) continue
    seen.push(whole.tokens)
    const length = Math.min(room.each, left)
    const isWhole = whole.tokens.length <= length
    const step = isWhole ? whole : cut?.(whole, length)
    if (!step) continue
    kept.push({ step, number: i + 1, isWhole })
    left -= step.tokens.length
  }
  return kept
}

/** What of the alternatives the target reads beside the chain, in the same forward. */
export class BesideChain {
  readonly #branching: { one: Alternative; leaf: Leaf }[]

  /** @param places each with the chain tokens before it */
  constructor(tree: Tree, places: readonly { start: number; alternatives: Alternatives }[]) {
    this.#branching = places.flatMap(({ start, alternatives }) =>
      alternatives.others
        .filter(({ draft, shared }) => draft.tokens.length > shared)
        .map((one) => {
          const tokens = one.draft.tokens.slice(one.shared)
          return { one, leaf: tree.leaf(start + one.shared, { tokens }) }
        }),
    )
  }

  get leaves(): Leaf[] {
    return this.#branching.map(({ leaf }) => leaf)
  }

  /** @param rows scores after each token of all leaves */
  read(rows: readonly Scores[]): void {
    let at = 0
    for (const { one, leaf } of this.#branching) one.read = { leaf, scores: rows.slice(at, (at += leaf.tokens.length)) }
  }
}

/** Verdicts in the order of places, each as soon as those before it are given; what hangs on a rejected step gets none. */
export function verdictsOn(places: readonly Alternatives[]): VerdictGiven[] {
  const verdicts: VerdictGiven[] = []
  for (const [index, { ruled, first, accepted }] of places.entries()) {
    for (const { number, ruling } of ruled) verdicts.push({ type: 'verdict', index, ...numbered(number), ...ruling! })
    if (accepted !== first) break
  }
  return verdicts
}

function inCommon(a: readonly number[], b: readonly number[]): number {
  const parted = a.findIndex((token, i) => token !== b[i])
  return parted < 0 ? a.length : parted
}

export const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && inCommon(a, b) === a.length
