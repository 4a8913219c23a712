/**
 * Models that say what a test tells them to, in the place of real ones: all else of the engine is real. Each slot remembers
 * the text whose key it would hold, so a row that sees a key of another text, or too few or too many, is a fault.
 */
import { vi } from 'vitest'
import type { Model, Row, Scores } from '../src/model/index.ts'
import type { Tokenizer } from '../src/tokenizer/index.ts'

/** What comes after a text: the token, or the logits of some tokens, all others being out of the question. */
export type Say = (text: readonly number[]) => number | ReadonlyMap<number, number>

export interface Staged {
  /** Rows of each forward. */
  readonly forwards: (readonly Row[])[]
  /** Whether each of them left a core to others. */
  readonly beside: boolean[]
  /** The texts after which the model was asked for scores. */
  readonly asked: (readonly number[])[]
  /** What was wrong with rows: nothing may be. The forward failed then, but some failures are got over. */
  readonly faults: string[]
  /** Awaited before each forward. Default: none waits, nor does the event loop have a turn between them. */
  before?: () => Promise<unknown>
}

/** A text, as its last token after those before it; equal texts are the same object. */
class Text {
  readonly #next = new Map<number, Text>()

  after(token: number): Text {
    let text = this.#next.get(token)
    if (!text) this.#next.set(token, (text = new Text()))
    return text
  }
}

const OUT_OF_QUESTION = -1e4

const nothing = new Text()

/** What stands in each slot of a model, as far as it was run by a staged one. */
const pools = new WeakMap<Model, Map<number, { token: number; text: Text }>>()

/** Until `vi.restoreAllMocks()`, or until it is told to say something else. To begin with, nothing may be cached. */
export function stage(model: Model, say: Say): Staged {
  const staged: Staged = { forwards: [], beside: [], asked: [], faults: [] }
  const slots = pools.get(model) ?? new Map<number, { token: number; text: Text }>()
  pools.set(model, slots)

  /** The text before a new token, as the keys that it sees tell it. @throws {Error} when they are not those of a text */
  const seenBy = (row: Row, i: number): { tokens: number[]; text: Text } => {
    const seen = row.sees[i]!.flatMap(([from, to]) => Array.from(row.keySlots.slice(from, to)))
    if (seen.at(-1) !== row.writeSlots[i]) throw new Error('a token does not see itself last')
    const before = seen.slice(0, -1)
    if (before.length !== row.positions[i]) throw new Error(`${before.length} keys before place ${row.positions[i]}`)
    let text = nothing
    const tokens = before.map((slot, place) => {
      const key = slots.get(slot)
      text = text.after(key?.token ?? -1)
      if (key?.text !== text) throw new Error(`slot ${slot} at place ${place} holds the key of another text`)
      return key.token
    })
    return { tokens, text }
  }

  const run = (row: Row): Scores[] => {
    const scores = new Map<number, Scores>()
    for (const [i, token] of row.tokens.entries()) {
      const { tokens, text } = seenBy(row, i)
      slots.set(row.writeSlots[i]!, { token, text: text.after(token) })
      if (!row.logitRows.includes(i)) continue
      const whole = [...tokens, token]
      staged.asked.push(whole)
      scores.set(i, logits(model.config.vocabSize, say(whole)))
    }
    return row.logitRows.map((i) => scores.get(i)!)
  }

  vi.spyOn(model, 'forward').mockImplementation(async (rows, options) => {
    staged.forwards.push(rows)
    staged.beside.push(options?.beside === true)
    await staged.before?.()
    try {
      return rows.flatMap(run)
    } catch (error) {
      staged.faults.push((error as Error).message)
      throw error
    }
  })
  return staged
}

function logits(vocabulary: number, said: ReturnType<Say>): Float32Array {
  const row = new Float32Array(vocabulary).fill(OUT_OF_QUESTION)
  for (const [token, logit] of typeof said === 'number' ? [[said, 0] as const] : said) row[token] = logit
  return row
}

/** Logits of tokens that are all as likely. */
export const anyOf = (tokens: readonly number[]): ReadonlyMap<number, number> =>
  new Map(tokens.map((token) => [token, 0]))

/** Logits of tokens as likely as these weights say, at temperature 1. */
export const weighed = (weights: ReadonlyMap<number, number>): ReadonlyMap<number, number> =>
  new Map([...weights].map(([token, weight]) => [token, Math.log(weight)]))

/**
 * Says, after the first `start` tokens, what the first of `lines` says that begins as the text does; then, and where none
 * does, `end`. A line is pieces of text, tokenized each for itself: steps, where it goes on after drafted ones.
 */
export function lines(tokenizer: Tokenizer, start: number, end: number, ...texts: (readonly string[])[]): Say {
  const known = texts.map((pieces) => pieces.flatMap((piece) => tokenizer.encode(piece)))
  return (text) => {
    const written = text.slice(start)
    const line = known.find((tokens) => written.every((token, i) => token === tokens[i]))
    return line?.[written.length] ?? end
  }
}
