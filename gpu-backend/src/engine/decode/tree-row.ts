import type { Row } from '../../model/index.ts'
import type { Run } from '../memory/token-tree.ts'

/** A run on its way through a forward. */
export interface Part {
  run: Run
  /** Tokens before its own, which all parts before it share. */
  before: number
  /** Of its tokens, how many had been run already. */
  computed: number
}

/** Where in a row a run's token is. */
export type IndexInRow = (run: Run, index: number) => number

/** @param wanted where in the row the tokens are whose logits are wanted */
export function layOut(parts: readonly Part[], wanted: (at: IndexInRow) => number[]): Row {
  const tokens: number[] = []
  const positions: number[] = []
  const writeSlots: number[] = []
  const sees: (readonly [number, number])[][] = []
  const starts = new Map<Run, number>()
  let keySlots: number[] = []
  for (const { run, before, computed } of parts) {
    const own = keySlots.length
    starts.set(run, tokens.length - computed)
    keySlots = keySlots.concat(run.slots)
    for (let i = computed; i < run.tokens.length; i++) {
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
  const logitRows = wanted((run, index) => starts.get(run)! + index)
  return { tokens, positions, writeSlots, keySlots, sees, logitRows }
}
