/** Addresses that serve the same, and how each of them does, as far as this isolate has seen. */

/** So long an address that has failed is left alone where there are others; then one text tries it. */
const ASIDE_MS = 10_000
/** The same at the least, whatever it says. */
const LEAST_MS = 1_000

export interface Address {
  readonly url: string
  /** Calls that go on there. */
  calls: number
  /** By `Date.now()`; 0: it is well. */
  asideUntil: number
}

const seen = new Map<string, Address>()

function addressAt(url: string): Address {
  const address = seen.get(url) ?? { url, calls: 0, asideUntil: 0 }
  seen.set(url, address)
  return address
}

/** For one text, which stays where it is until that fails. */
export class Addresses {
  readonly #all: readonly Address[]
  #present: Address | undefined
  /** Whether the text tries an address that has failed before. */
  #isTrial = false

  /** @param urls one at least */
  constructor(urls: readonly string[]) {
    this.#all = urls.map(addressAt)
  }

  /** Where the text is, or is sent to next. */
  get present(): Address {
    return (this.#present ??= this.#choose())
  }

  /** Whether another one does well. */
  get hasOther(): boolean {
    return this.#well.some((address) => address !== this.present)
  }

  /** The present one has answered. */
  answered(): void {
    if (this.#isTrial) this.present.asideUntil = 0
    this.#isTrial = false
  }

  /**
   * One has failed, or is too busy.
   * @param ms how long it asks to be left alone
   * @returns whether another one that does well is asked from now on
   */
  leave(left: Address, ms = ASIDE_MS): boolean {
    left.asideUntil = Date.now() + Math.min(Math.max(ms, LEAST_MS), ASIDE_MS)
    if (left !== this.present) return true
    const isBetter = this.hasOther
    this.#present = this.#choose()
    return isBetter
  }

  get #well(): Address[] {
    return this.#all.filter(({ asideUntil }) => asideUntil <= Date.now())
  }

  /** The one with the least to do of those that do well, at random among equals; else the one that failed the longest ago. */
  #choose(): Address {
    const well = this.#well
    const least = Math.min(...well.map(({ calls }) => calls))
    const equals = well.filter(({ calls }) => calls === least)
    const best = equals[Math.floor(Math.random() * equals.length)]
    this.#isTrial = !best || best.asideUntil > 0
    if (!best) return this.#all.toSorted((a, b) => a.asideUntil - b.asideUntil)[0]!
    // Who comes next goes elsewhere, until this text has seen it answer.
    if (this.#isTrial) best.asideUntil = Date.now() + ASIDE_MS
    return best
  }
}
