/** A seeded source of random choices (sfc32): the same seed gives the same choices on every machine. */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  /** `seed` may be any text; similar texts give unrelated streams. */
  constructor(seed: string) {
    this.a = hash(seed, 0x9e3779b9)
    this.b = hash(seed, 0x243f6a88)
    this.c = hash(seed, 0xb7e15162)
    for (let i = 0; i < 12; i++) this.bits()
  }

  private bits(): number {
    const t = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0
    return t >>> 0
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.bits() / 4294967296
  }

  /** Uniform whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1))
  }

  /** One element, uniformly. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!
  }

  /** `count` different elements, in random order. */
  several<T>(list: readonly T[], count: number): T[] {
    const rest = [...list]
    return Array.from({ length: count }, () => rest.splice(this.int(0, rest.length - 1), 1)[0]!)
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.unit() < p
  }
}

/** A 32-bit FNV-1a hash of a text, finished with murmur3's mixer. */
export function hash(text: string, salt = 0): number {
  let h = 0x811c9dc5 ^ salt
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
