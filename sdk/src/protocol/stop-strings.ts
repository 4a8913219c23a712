/** A stop string that came. */
export interface StopMatch {
  stop: string
  /** Place in all the text of its first character. */
  at: number
}

/**
 * The automaton of Aho and Corasick (CACM 18, 1975): each state is a beginning of some stop strings, 0 the empty one. The text
 * is in the state that is the longest of its ends, so it is read once, however many stop strings there are.
 */
class Automaton {
  /** In the order in which they were named, each once. */
  readonly stops: readonly string[]
  /** Of each state, how long it is. */
  readonly lengths: Uint32Array
  /** The longest stop string that it ends with; -1 for none. */
  readonly endings: Int32Array
  /** The states that are longer by a unit, as a list: the unit, the first of a state, and the one after it; 0 for none. */
  readonly #units: Uint16Array
  readonly #firsts: Uint32Array
  readonly #nexts: Uint32Array
  /** The longest other state that it ends with: the table of failures. */
  readonly #falls: Uint32Array
  #count = 1

  constructor(stops: readonly string[]) {
    this.stops = [...new Set(stops)]
    const most = this.stops.reduce((sum, { length }) => sum + length, 1)
    this.lengths = new Uint32Array(most)
    this.endings = new Int32Array(most).fill(-1, 0, 1)
    this.#units = new Uint16Array(most)
    this.#firsts = new Uint32Array(most)
    this.#nexts = new Uint32Array(most)
    this.#falls = new Uint32Array(most)
    // Shorter states first: those that a state falls to are there before it.
    const states = this.stops.map(() => 0)
    const longest = Math.max(0, ...stops.map(({ length }) => length))
    for (let length = 0; length < longest; length++)
      for (const [i, stop] of this.stops.entries()) {
        if (length >= stop.length) continue
        const state = this.#extend(states[i]!, stop.charCodeAt(length))
        states[i] = state
        if (length + 1 === stop.length) this.endings[state] = i
      }
  }

  #extend(state: number, unit: number): number {
    const known = this.#longer(state, unit)
    if (known > 0) return known
    const fall = state === 0 ? 0 : this.after(this.#falls[state]!, unit)
    const made = this.#count++
    this.#falls[made] = fall
    this.#units[made] = unit
    this.#nexts[made] = this.#firsts[state]!
    this.#firsts[state] = made
    this.lengths[made] = this.lengths[state]! + 1
    this.endings[made] = this.endings[fall]!
    return made
  }

  /** The state of a text that goes on with a unit. */
  after(state: number, unit: number): number {
    let from = state
    for (;;) {
      const longer = this.#longer(from, unit)
      if (longer > 0 || from === 0) return longer
      from = this.#falls[from]!
    }
  }

  /** The state that is longer by this unit; 0 for none. */
  #longer(state: number, unit: number): number {
    let longer = this.#firsts[state]!
    while (longer > 0 && this.#units[longer] !== unit) longer = this.#nexts[longer]!
    return longer
  }

  /** The longest state of a text that is only a part of a stop string. */
  open(state: number): number {
    let open = state
    while (open > 0 && this.#firsts[open] === 0) open = this.#falls[open]!
    return open
  }
}

/** The texts of one request have their stop strings in common. */
const compiled = new WeakMap<readonly string[], Automaton>()

/** Looks for stop strings in a text as it comes. */
export class StopStrings {
  readonly #automaton: Automaton
  #state = 0

  constructor(stops: readonly string[]) {
    let automaton = compiled.get(stops)
    if (!automaton) compiled.set(stops, (automaton = new Automaton(stops)))
    this.#automaton = automaton
  }

  /**
   * Reads what the text goes on with.
   * @param start characters of the whole text before it
   * @param exempt characters of the whole text in which none may end
   * @returns the stop string that begins first, of those that end in what was read; of those that begin together the one named first
   */
  read(text: string, start: number, exempt: number): StopMatch | undefined {
    const { stops, endings } = this.#automaton
    let [first, at] = [-1, Infinity]
    for (let n = 0; n < text.length; n++) {
      this.#state = this.#automaton.after(this.#state, text.charCodeAt(n))
      const ending = endings[this.#state]!
      const end = start + n + 1
      if (ending < 0 || end <= exempt) continue
      // Others that end here are shorter, and so begin later.
      const begin = end - stops[ending]!.length
      if (begin < at || (begin === at && ending < first)) [first, at] = [ending, begin]
    }
    return first < 0 ? undefined : { stop: stops[first]!, at }
  }

  /** No stop string spans what was read and what comes. */
  reset(): void {
    this.#state = 0
  }

  /** Length of the longest end of the text that begins a stop string. */
  get begun(): number {
    return this.#automaton.lengths[this.#automaton.open(this.#state)]!
  }
}
