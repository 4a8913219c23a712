/** A stop string that came. */
export interface Match {
  stop: string
  /** Place in all the text of its first character. */
  at: number
}

/** A stop string, and of each of its beginnings how long the longest other one is that it ends with. */
interface Pattern {
  stop: string
  falls: Uint32Array
}

/** The texts of one request have their stop strings in common. */
const compiled = new WeakMap<readonly string[], readonly Pattern[]>()

/**
 * Looks for stop strings in a text as it comes, each by the automaton of Knuth, Morris and Pratt (SIAM J. Comput. 6, 1977):
 * a character costs a few steps a stop string, however long that is and however much of it came before.
 */
export class StopStrings {
  readonly #patterns: readonly Pattern[]
  /** Of each, how many of its characters the text ends with. */
  readonly #matched: Uint32Array

  constructor(stops: readonly string[]) {
    let patterns = compiled.get(stops)
    if (!patterns) compiled.set(stops, (patterns = [...new Set(stops)].map((stop) => ({ stop, falls: fallsOf(stop) }))))
    this.#patterns = patterns
    this.#matched = new Uint32Array(patterns.length)
  }

  /**
   * Reads what the text goes on with.
   * @param start characters of the whole text before it
   * @param exempt characters of the whole text in which none may end
   * @returns the stop string that begins first, of those that end in what was read; of those that begin together the one named first
   */
  read(text: string, start: number, exempt: number): Match | undefined {
    let first: Match | undefined
    for (const [i, { stop, falls }] of this.#patterns.entries()) {
      let matched = this.#matched[i]!
      for (let n = 0; n < text.length; n++) {
        const unit = text.charCodeAt(n)
        while (matched > 0 && stop.charCodeAt(matched) !== unit) matched = falls[matched - 1]!
        if (stop.charCodeAt(matched) === unit) matched++
        if (matched < stop.length) continue
        const end = start + n + 1
        const at = end - stop.length
        if (end > exempt && at < (first?.at ?? Infinity)) first = { stop, at }
        matched = falls[matched - 1]!
      }
      this.#matched[i] = matched
    }
    return first
  }

  /** No stop string spans what was read and what comes. */
  reset(): void {
    this.#matched.fill(0)
  }

  /** Length of the longest end of the text that begins a stop string. */
  get begun(): number {
    return this.#matched.reduce((longest, length) => Math.max(longest, length), 0)
  }
}

function fallsOf(stop: string): Uint32Array {
  const falls = new Uint32Array(stop.length)
  for (let end = 1, matched = 0; end < stop.length; end++) {
    const unit = stop.charCodeAt(end)
    while (matched > 0 && stop.charCodeAt(matched) !== unit) matched = falls[matched - 1]!
    if (stop.charCodeAt(matched) === unit) matched++
    falls[end] = matched
  }
  return falls
}
