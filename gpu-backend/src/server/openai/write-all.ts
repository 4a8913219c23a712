import { generate } from '../../engine/decode/generate.ts'
import type { Piece } from '../../engine/decode/generate.ts'
import { measured } from '../measured.ts'
import type { EndReason, Measurement } from '../metrics.ts'
import type { Service } from '../service.ts'
import type { Job } from './job.ts'
import { merge } from './merge.ts'

/** Tokens; two forwards' worth. */
const MOST_WAITING = 1024

/** A piece of the text with this place in the job. */
export interface IndexedPiece extends Piece {
  index: number
  /** No piece of this text came before. */
  isFirst: boolean
}

/**
 * Writes all texts of a job at once; pieces come as they are written. When one text fails, or the reader leaves, all end
 * and give their slots back.
 */
export async function* writeAll(
  service: Service,
  { served, texts, n }: Job,
  signal: AbortSignal,
): AsyncGenerator<IndexedPiece, void, undefined> {
  const engine = service.ready()
  const left = new AbortController()
  const either = AbortSignal.any([signal, left.signal])
  const writers = texts.map((text, index) => {
    // The texts of one prompt read it once.
    const start = () => service.metrics.start(served.name, index % n === 0 ? text.prompt.length : 0)
    return measured(start, generate(engine, text, either), record, either)
  })
  const turns = turnsOf(texts, n)
  // Once the first text of a prompt has begun, the others share its slots.
  const after = (index: number): number | undefined => (index % n === 0 ? turns[index / n] : index - (index % n))
  const begun = new Set<number>()
  for await (const { index, item } of merge(writers, { after, end: () => left.abort() })) {
    yield { ...item, index, isFirst: !begun.has(index) }
    begun.add(index)
  }
}

/**
 * For each prompt the text that must have begun before it is read: one request has prompts of so many tokens waiting at a time,
 * so that those of others have their turn between.
 */
function turnsOf(texts: Job['texts'], n: number): (number | undefined)[] {
  let first = 0
  let waiting = 0
  return texts
    .filter((_, index) => index % n === 0)
    .map(({ prompt }, place, prompts) => {
      waiting += prompt.length
      while (first < place && waiting > MOST_WAITING) waiting -= prompts[first++]!.prompt.length
      return first === 0 ? undefined : (first - 1) * n
    })
}

function record(measurement: Measurement, { tokens, ending }: Piece): EndReason | undefined {
  if (tokens.length > 0) measurement.tokens(tokens.length)
  if (ending) measurement.speculated(ending.speculation)
  return ending?.reason
}
