import type { Scores } from '../../model/index.ts'
import type { DraftStep } from '../text/step.ts'
import { isSame } from './alternatives.ts'
import type { Branch } from './branch.ts'
import type { DraftWriter } from './draft-writer.ts'
import type { Tree } from './tree.ts'

/** One of them, on a leaf of its own. */
export interface Sibling {
  branch: Branch
  writer: DraftWriter
}

/**
 * Further alternatives for the step that the draft writes: each drawn independently of it, from the same scores on, in the
 * same forwards. What is written after the step does not go on from them, so their leaves go with it.
 */
export class DraftAlternatives {
  readonly #tree: Tree
  readonly #make: () => Sibling[]
  #siblings: Sibling[] | undefined

  /** @param make one of each, once the first alternative has begun */
  constructor(tree: Tree, make: () => Sibling[]) {
    this.#tree = tree
    this.#make = make
  }

  /** All draw their first token. Further calls do nothing. @param scores that the first alternative's was drawn from */
  begin(scores: Scores): void {
    if (this.#siblings) return
    this.#siblings = this.#make()
    for (const { branch, writer } of this.#siblings) {
      writer.beginStep()
      branch.begin(() => scores)
    }
  }

  /** Those that go on. */
  get open(): Branch[] {
    return this.#all.flatMap(({ branch, writer }) => (writer.ended ? [] : branch))
  }

  /** The steps that they have become. */
  get steps(): DraftStep[] {
    return this.#all.map(({ writer }) => writer.draftStep)
  }

  /** Gives their slots back. */
  close(): void {
    for (const { branch } of this.#all) this.#tree.drop(branch.leaf)
    this.#siblings = []
  }

  get #all(): readonly Sibling[] {
    return this.#siblings ?? []
  }
}

/** The step with those alternatives that say something else. */
export function withAlternatives(step: DraftStep, alternatives: readonly DraftStep[]): DraftStep {
  const distinct: DraftStep[] = []
  for (const one of alternatives)
    if (![step, ...distinct].some(({ tokens }) => isSame(tokens, one.tokens))) distinct.push(one)
  return distinct.length > 0 ? { ...step, alternatives: distinct } : step
}
