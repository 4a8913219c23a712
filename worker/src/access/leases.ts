/** Who has a place, and until when. A holder that dies takes no place with it: leases that nobody renews run out. */
export interface Lease {
  /** Whose limit it counts in. */
  holder: string
  /** When it runs out, in milliseconds of `Date.now`. */
  until: number
}

export interface LeaseLimits {
  /** Of all holders together. Infinity: no limit. */
  all: number
  /** Of this one. Infinity: no limit. */
  own: number
}

/** How long a lease lasts from when it was taken or renewed. */
export const LEASE_MS = 60_000

export class Leases {
  readonly #leases: Map<string, Lease>

  constructor(leases: Iterable<[string, Lease]> = []) {
    this.#leases = new Map(leases)
  }

  /** Undefined where there was a place; else whose limit is reached. */
  take(id: string, holder: string, places: LeaseLimits, now: number): 'own' | 'all' | undefined {
    // Its own is there where a run goes on whose object was lost.
    for (const [other, { until }] of this.#leases) if (until <= now || other === id) this.#leases.delete(other)
    const own = [...this.#leases.values()].filter((lease) => lease.holder === holder).length
    if (own >= places.own) return 'own'
    if (this.#leases.size >= places.all) return 'all'
    this.renew(id, holder, now)
    return undefined
  }

  /** Its holder still goes on, so it counts, even if it had run out. */
  renew(id: string, holder: string, now: number): void {
    this.#leases.set(id, { holder, until: now + LEASE_MS })
  }

  leave(id: string): void {
    this.#leases.delete(id)
  }

  [Symbol.iterator](): IterableIterator<[string, Lease]> {
    return this.#leases.entries()
  }
}
