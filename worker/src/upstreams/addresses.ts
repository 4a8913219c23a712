/** Addresses that serve the same, and how each of them does, as far as this isolate has seen. */

/** So long an address that has failed is left alone where there are others. */
const ASIDE_MS = 10_000
/** The same at the least, whatever it says. */
const LEAST_MS = 1_000
/** How long it may take to say that it is well again. */
const CHECK_MS = 5_000
/** How long one may take to begin an answer where another could be asked: so much a lost one costs the first call of an isolate. */
export const FIRST_ANSWER_MS = 10_000

export interface Address {
  readonly url: string
  /** Calls that go on there. */
  calls: number
  /** Not to be asked before, by `Date.now()`; 0: it is well. */
  asideUntil: number
}

/** Asks how the one at an address is: a good status is well. */
export type Check = (url: string, signal: AbortSignal) => Promise<Response>

const seen = new Map<string, Address>()

function addressAt(url: string): Address {
  const address = seen.get(url) ?? { url, calls: 0, asideUntil: 0 }
  seen.set(url, address)
  return address
}

/** For one text, which stays where it is until that fails. */
export class Addresses {
  readonly #all: readonly Address[]
  readonly #check: Check
  #present: Address
  /** Whether the text tries an address that has failed before, since none is well. */
  #isTrial = false

  /** @param urls one at least */
  constructor(urls: readonly string[], check: Check) {
    this.#all = urls.map(addressAt)
    this.#check = check
    this.#present = this.#choose()
  }

  /** Where the text is, or is sent to next. */
  get present(): Address {
    return this.#present
  }

  /** Whether another one does well. */
  get hasOther(): boolean {
    return this.#well.some((address) => address !== this.#present)
  }

  /** The present one has answered. */
  answered(): void {
    if (this.#isTrial) this.#present.asideUntil = 0
    this.#isTrial = false
  }

  /**
   * One has failed, or is too busy.
   * @param ms how long it asks to be left alone
   * @returns whether another one that does well is asked from now on
   */
  leave(left: Address, ms = ASIDE_MS): boolean {
    left.asideUntil = Date.now() + Math.min(Math.max(ms, LEAST_MS), ASIDE_MS)
    if (left !== this.#present) return true
    const isBetter = this.hasOther
    this.#present = this.#choose()
    return isBetter
  }

  get #well(): Address[] {
    return this.#all.filter(({ asideUntil }) => asideUntil === 0)
  }

  /** The one with the least to do of those that do well, at random among equals; else the one that failed the longest ago. */
  #choose(): Address {
    const well = this.#well
    this.#isTrial = well.length === 0
    if (this.#isTrial) return this.#all.toSorted((a, b) => a.asideUntil - b.asideUntil)[0]!
    for (const address of this.#all)
      if (address.asideUntil > 0 && address.asideUntil <= Date.now()) void this.#look(address)
    const least = Math.min(...well.map(({ calls }) => calls))
    const equals = well.filter(({ calls }) => calls === least)
    return equals[Math.floor(Math.random() * equals.length)]!
  }

  /** Whether one that has failed is well again: nobody's text is tried on it. */
  async #look(address: Address): Promise<void> {
    address.asideUntil = Date.now() + ASIDE_MS
    try {
      const answer = await this.#check(address.url, AbortSignal.timeout(CHECK_MS))
      await answer.body?.cancel()
      if (answer.ok) address.asideUntil = 0
    } catch {
      // It is not.
    }
  }
}
