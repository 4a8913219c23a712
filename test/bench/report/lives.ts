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

/** In the order in which they ended. Steps that were never ruled on end with what made them void: a commit, or another in their place. */
export function livesOf({ timeline, ms }: CompletedRun): Life[] {
  const lives: Life[] = []
  let waiting: Pick<Life, 'step' | 'from'>[] = []
  const end = (ended: typeof waiting, to: number, fate: Life['fate']) => {
    lives.push(...ended.map((life) => ({ ...life, to, fate })))
    waiting = waiting.filter((life) => !ended.includes(life))
  }
  for (const { at, type, step = 0, alternative } of timeline) {
    if (type === 'step.drafted') waiting.push({ step, from: at })
    if (isRuling(type)) end(waiting.filter((life) => life.step === step).slice(0, 1), at, fates[type])
    if (type === 'step.accepted') {
      // What was drafted after it hung on the first of its alternatives.
      const isVoid = (life: (typeof waiting)[0]) =>
        life.step === step || (alternative !== undefined && life.step > step)
      end(waiting.filter(isVoid), at, 'void')
    }
    if (type === 'step.corrected') {
      lives.push({ step, from: at, to: at, fate: 'target' })
      end(
        waiting.filter((life) => life.step >= step),
        at,
        'void',
      )
    }
  }
  end(waiting, ms, 'void')
  return lives
}

const isRuling = (type: string): type is keyof typeof fates => type in fates
