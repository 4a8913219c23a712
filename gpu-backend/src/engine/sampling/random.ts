/** What is drawn from one seed, by the first word of its stream. None may be shared: guesses must not depend on what judges them. */
export const streams = { noise: 1, target: 2, alternative: 3 } as const

/**
 * Reproducible uniform numbers: each `(seed, stream)` names a sequence of its own, so what one branch draws never
 * depends on how many numbers another has used. (sfc32, Chris Doty-Humphrey's PractRand.)
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, ...stream: number[]) {
    let hash = 0x9e3779b9
    for (const word of [seed >>> 0, Math.floor(seed / 2 ** 32), ...stream]) hash = mix(hash ^ mix(word + 0x85ebca6b))
    this.#a = hash
    this.#b = mix(hash + 1)
    this.#c = mix(hash + 2)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    const t = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return (t >>> 0) / 2 ** 32
  }
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}
