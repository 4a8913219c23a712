/** The target's own steps, several under way at a time, each forward holding a row of each of them. */
import type { Text } from './text.ts'
import { curve } from './curve.ts'
import type { Way, World } from './world.ts'

/** One step of the target's. */
export interface Branch {
  /** When it can begin. */
  ready: number
  /** Tokens before its own that no forward has read yet. */
  unread: number
  /** Tokens that its first forward brings. */
  first: number
  /** Tokens still to write. */
  left: number
  /** Place in the text of the next. */
  position: number
  /** When its last token was there. */
  done: number | undefined
}

export interface Forward {
  from: number
  to: number
  /** Part of it in which tokens were guessed. */
  guessing: number
  /** Guesses made one after another. */
  longest: number
  /** New tokens in it. */
  tokens: number
  /** Guesses made and accepted in it. */
  proposed: number
  accepted: number
}

/** Runs forwards, and draws which guesses prove right. */
export class Branches {
  readonly #way: Way
  readonly #world: World
  readonly #forwardMs: (tokens: number) => number
  readonly #acceptance: Text['tokenAcceptance']
  readonly #random: () => number

  constructor(way: Way, world: World, acceptance: Text['tokenAcceptance'], random: () => number) {
    this.#way = way
    this.#world = world
    this.#forwardMs = curve(world.target)
    this.#acceptance = acceptance
    this.#random = random
  }

  /** One packed forward from `now` on: every branch gets its next token, and the guesses after it that prove right. */
  forward(branches: readonly Branch[], now: number): Forward {
    const guesses = branches.map((branch) => (branch.unread > 0 ? 0 : Math.min(this.#way.guesses, branch.left - 1)))
    const proposed = guesses.reduce((sum, guessed) => sum + guessed, 0)
    const tokens = branches.reduce((sum, { unread }) => sum + Math.max(1, unread), proposed)
    const longest = Math.max(...guesses)
    const guessing = longest * this.#world.guess
    const reading = (branches.length - 1) * (this.#world.branch ?? 0)
    const to = now + guessing + this.#forwardMs(tokens) + reading
    const accepted = branches.reduce((sum, branch, i) => sum + this.#advance(branch, guesses[i]!, to), 0)
    return { from: now, to, guessing, longest, tokens, proposed, accepted }
  }

  /** Returns how many guesses were accepted. */
  #advance(branch: Branch, guesses: number, now: number): number {
    const accepted = this.#accepted(branch, guesses)
    const tokens = Math.min(branch.left, branch.unread > 0 ? branch.first : 1 + accepted)
    branch.unread = 0
    branch.left -= tokens
    branch.position += tokens
    if (branch.left === 0) branch.done = now
    return accepted
  }

  #accepted({ position }: Branch, guesses: number): number {
    let accepted = 0
    while (accepted < guesses && this.#random() < this.#acceptance(position + accepted)) accepted++
    return accepted
  }
}
