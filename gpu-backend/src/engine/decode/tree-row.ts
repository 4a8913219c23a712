import type { Row } from '../../model/index.ts'
import type { Run } from '../memory/token-tree.ts'

/** A run on its way through a forward. */
export interface Part {
  run: Run
  /** Tokens before its own, which all parts before it share. */
  before: number
  /** Of its tokens, how many had been run already. */
  standing: number
}

/** Place in a row of a run's token. */
export type Place = (run: Run, index: number) => number

/** @param wanted places of the tokens whose logits are wanted */
export function layOut(parts: readonly Part[], wanted: (place: Place) => number[]): Row {
  const tokens: number[] = []
  const positions: number[] = []
  const writeSlots: number[] = []
  const sees: (readonly [number, number])[][] = []
  const places = new Map<Run, number>()
  let keySlots: number[] = []
  for (const { run, before, standing } of parts) {
    const own = keySlots.length
    places.set(run, tokens.length - standing)
    keySlots = keySlots.concat(run.slots)
    for (let i = standing; i < run.tokens.length; i++) {
      tokens.push(run.tokens[i]!)
      positions.push(before + i)
      writeSlots.push(run.slots[i]!)
      sees.push(
        own === before
          ? [[0, own + i + 1]]
          : [
              [0, before],
              [own, own + i + 1],
            ],
      )
    }
  }
  const logitRows = wanted((run, index) => places.get(run)! + index)
  return { tokens, positions, writeSlots, keySlots, sees, logitRows }
}
