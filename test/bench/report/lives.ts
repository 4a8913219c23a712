/** What became of each step of a run, and when. */
import type { CompletedRun } from '../runs/run.ts'

export interface Life {
  /** Place in the output. */
  step: number
  /** Milliseconds after the request. */
  from: number
  to: number
  /** `void`: after a rejected step, so that nobody ruled on it; `target`: the target's own. */
  fate: 'accepted' | 'rejected' | 'void' | 'target'
}

const fates = { 'step.accepted': 'accepted', 'step.rejected': 'rejected' } as const

/** In the order in which they ended. Steps that were never ruled on end with the commit that made them void. */
export function livesOf({ timeline, ms }: CompletedRun): Life[] {
  const lives: Life[] = []
  const waiting = new Map<number, number[]>()
  const end = (step: number, to: number, fate: Life['fate']) => {
    const from = waiting.get(step)?.shift() ?? to
    lives.push({ step, from, to, fate })
  }
  for (const { at, type, step } of timeline) {
    if (type === 'step.drafted') waiting.set(step!, [...(waiting.get(step!) ?? []), at])
    else if (type === 'step.accepted' || type === 'step.rejected') end(step!, at, fates[type])
    else if (type === 'step.corrected') {
      lives.push({ step: step!, from: at, to: at, fate: 'target' })
      for (const [later, starts] of waiting) if (later >= step!) for (const _ of [...starts]) end(later, at, 'void')
    }
  }
  for (const [step, starts] of waiting) for (const _ of [...starts]) end(step, ms, 'void')
  return lives
}
