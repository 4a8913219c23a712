import type { Scores } from '../../model/index.ts'
import type { Distribution } from '../sampling/distribution.ts'
import type { Guess, Sampler, SpeculationCounts } from '../speculation/accept.ts'
import type { Speculator } from '../speculation/speculator.ts'
import type { Leaf, Tree, Work } from './tree.ts'

/** Takes the tokens of one branch, and says when it has ended. */
export interface Writer {
  readonly tokens: number[]
  readonly ended: boolean
  /** @param scores that the token was drawn from */
  push(token: number, scores: Scores): void
}

export interface BranchOptions {
  tree: Tree
  /** Chain tokens before the branch. */
  prefix: number
  writer: Writer
  /** Place in the text of its first token. */
  position: number
  /** What the next token is drawn from. @param written tokens of the branch before it */
  distribution: (scores: Scores, written: readonly number[]) => Distribution
  /** Draws its tokens, and keeps the guesses that agree. */
  sampler: Sampler
  /** Guesses made and kept. */
  counts: SpeculationCounts
  /** Where its tokens stand that are not in the chain. Default: on a new leaf. */
  leaf?: Leaf | undefined
  /** Who guesses; asked for once, when the branch leaves the chain. @param agreed guesses that stand in the chain */
  speculator?: ((agreed: number) => Speculator) | undefined
}

/** What of the chain a branch goes on with. */
export interface Beginning {
  /** Tokens that stand whatever the model would draw. Default: none. */
  kept?: readonly number[]
  /** Guesses of the tokens after them. Default: none. */
  guesses?: readonly Guess[]
  /** Whether a token is drawn after guesses that all prove right. Default true. */
  bonus?: boolean
}

/**
 * One continuation that a model writes, a forward at a time: `propose` guesses, run the `work`, `accept` what proves right and
 * the token after it. Whatever is guessed, its tokens come from the model's own distribution.
 */
export class Branch {
  /** Of the writer's tokens, the first that stand in the chain; the others stand on the leaf. */
  agreed = 0
  readonly #options: BranchOptions
  #leaf: Leaf | undefined
  #speculator: Speculator | undefined
  #guesses: readonly Guess[] = []

  constructor(options: BranchOptions) {
    this.#options = options
  }

  /** Whether it has read what comes before it. */
  get isBegun(): boolean {
    return this.#leaf !== undefined
  }

  /** Where its tokens stand that are not in the chain. */
  get leaf(): Leaf {
    if (!this.#leaf) throw new Error('a branch begins with the scores after its prefix')
    return this.#leaf
  }

  /** Whether it may ever guess. As the first proposal does, the first call chooses who guesses. */
  canGuess(): boolean {
    return this.#chooseSpeculator()?.silent === false
  }

  /** Begins with the scores after the prefix, and after each token that the chain goes on with. */
  begin(scores: (i: number) => Scores, { kept = [], guesses = [], bonus = true }: Beginning = {}): void {
    for (const [i, token] of kept.entries()) this.#options.writer.push(token, scores(i))
    this.agreed = kept.length + this.#accept(guesses, (i) => scores(kept.length + i), bonus)
    this.#leaf = this.#options.leaf ?? this.#options.tree.leaf(this.#options.prefix + this.agreed)
  }

  /**
   * Goes on along a leaf that has been run already, where it begins with what the branch has written since it left the chain.
   * @param guesses what the leaf holds, token by token; @param scores after each
   * @param bonus whether a token is drawn after guesses that all prove right
   * @returns whether it does
   */
  adopt(leaf: Leaf, guesses: readonly Guess[], scores: readonly Scores[], bonus: boolean): boolean {
    const { tree, writer, prefix } = this.#options
    const own = writer.tokens.slice(this.agreed)
    const parts = writer.ended || own.length === 0 || leaf.prefix !== prefix + this.agreed
    if (parts || own.some((token, i) => token !== leaf.tokens[i])) return false
    const accepted = this.#accept(guesses.slice(own.length), (i) => scores[own.length - 1 + i]!, bonus)
    tree.trim(leaf, Math.min(own.length + accepted, writer.tokens.length - this.agreed))
    this.#leaf = leaf
    return true
  }

  /** Goes on after other tokens than its own; of what has been run it keeps what they have in common. @param tokens one or more */
  follow(tokens: readonly number[]): void {
    const { leaf } = this
    const same = leaf.tokens.findIndex((token, i) => token !== tokens[i])
    this.#options.tree.trim(leaf, Math.min(same < 0 ? leaf.tokens.length : same, tokens.length - 1))
    this.#options.writer.tokens.splice(0, Infinity, ...tokens)
  }

  /**
   * Guesses the tokens that come next.
   * @param sequence all of it, from the prompt to the branch's last token
   * @param room guesses at most
   * @param branches of the request that go through the forward together
   */
  async propose(sequence: readonly number[], room: number, branches = 1): Promise<void> {
    this.#guesses = (await this.#chooseSpeculator()?.propose(sequence, room, branches)) ?? []
  }

  /** What the next forward runs: the tokens that were not run yet, and the guesses after them. */
  get work(): Work {
    const { leaf } = this
    const own = this.#options.writer.tokens.slice(this.agreed + leaf.tokens.length)
    return { leaf, tokens: [...own, ...this.#guesses.map(({ token }) => token)] }
  }

  /** The guesses that prove right, and the token after them. @param scores after each token of the work */
  accept(scores: readonly Scores[]): void {
    const { tree, writer } = this.#options
    const guesses = this.#guesses
    const { leaf } = this
    this.#guesses = []
    const accepted = this.#accept(guesses, (i) => scores[scores.length - guesses.length - 1 + i]!, true)
    this.#speculator?.observe(guesses.length, accepted)
    const run = leaf.tokens.length - guesses.length + accepted
    tree.trim(leaf, Math.min(run, writer.tokens.length - this.agreed))
    if (writer.ended) this.close()
  }

  /** Gives back what its proposers hold. Further calls do nothing. */
  close(): void {
    this.#speculator?.close()
  }

  #chooseSpeculator(): Speculator | undefined {
    return (this.#speculator ??= this.#options.speculator?.(this.agreed))
  }

  #accept(guesses: readonly Guess[], scores: (i: number) => Scores, bonus: boolean): number {
    const { writer, position, distribution, sampler, counts } = this.#options
    const guessed = guesses.map(({ token }) => token)
    const written = [...writer.tokens]
    const p = (i: number) => distribution(scores(i), [...written, ...guessed.slice(0, i)])
    const { accepted, next } = sampler(guesses, p, position + written.length, bonus)
    for (const [i, token] of [...guessed.slice(0, accepted), ...(next === undefined ? [] : [next])].entries()) {
      if (writer.ended) break
      writer.push(token, scores(i))
    }
    counts.add(guesses.length, Math.min(accepted, writer.tokens.length - written.length))
    return accepted
  }
}

/** Runs the next tokens of all these branches in one packed forward. */
export async function advance(tree: Tree, branches: readonly Branch[]): Promise<void> {
  const scores = await tree.advance(branches.map((branch) => branch.work))
  for (const [i, branch] of branches.entries()) branch.accept(scores[i]!)
}
