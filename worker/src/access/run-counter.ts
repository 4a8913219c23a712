/** Counts the runs that go on, wherever in the world their workers are: one Durable Object for all. */
import { DurableObject } from 'cloudflare:workers'
import { Leases } from './leases.ts'
import type { Lease, LeaseLimits } from './leases.ts'

const KEPT = 'leases'

export class RunCounter extends DurableObject {
  // Kept, since an object that is idle for seconds is dropped.
  readonly #leases = new Leases(this.ctx.storage.kv.get<[string, Lease][]>(KEPT))

  take(id: string, holder: string, places: LeaseLimits): 'own' | 'all' | undefined {
    const full = this.#leases.take(id, holder, places, Date.now())
    this.#keep()
    return full
  }

  renew(id: string, holder: string): void {
    this.#leases.renew(id, holder, Date.now())
    this.#keep()
  }

  leave(id: string): void {
    this.#leases.leave(id)
    this.#keep()
  }

  #keep(): void {
    this.ctx.storage.kv.put(KEPT, [...this.#leases])
  }
}
