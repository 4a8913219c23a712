/** Plays a run of the cycle by the clock, on any machine. */
import { Branches } from './branches.ts'
import type { Forward } from './branches.ts'
import { randomFrom } from './random.ts'
import { Stage } from './stage.ts'
import type { Span } from './stage.ts'
import type { Step, Text } from './text.ts'
import type { Way, World } from './world.ts'

export interface Simulated {
  /** From the request to the last of the text. */
  ms: number
  tokens: number
  forwards: number
  /** New tokens in them. */
  forwardTokens: number
  /** Guessed tokens; of them, made one after another, for all steps under way at the same time. */
  proposed: number
  accepted: number
  guessed: number
  /** Fresh starts of the draft: cycles where `sync`, stages where `async`. */
  starts: number
  draftedSteps: number
  draftedTokens: number
  acceptedSteps: number
  /** Steps compared. */
  judged: number
  /** Milliseconds each part was at work; they overlap where `async`. */
  busy: Record<Span['part'], number>
}

export interface SimulateOptions {
  /** Decides which guessed tokens prove right. Default 0. */
  seed?: number
  /** Is told of everything that takes time, as it ends; of one part in order. */
  onSpan?: ((span: Span) => void) | undefined
  /** Is told of every forward of the target. */
  onForward?: ((forward: Forward) => void) | undefined
}

/** One run: `text` written in the way `asked` where things cost what they do in `world`. The same for the same seed. */
export function simulate(
  text: Text,
  asked: Way,
  world: World,
  { seed = 0, onSpan, onForward }: SimulateOptions = {},
): Simulated {
  const way: Way = asked.depth > 0 ? asked : { ...asked, kind: 'sync' }
  const branches = new Branches(way, world, text.tokenAcceptance, randomFrom(seed))
  const played = noTime()
  const task = {
    way,
    world,
    branches,
    onSpan: (span: Span) => {
      played.busy[span.part] += span.to - span.from
      onSpan?.(span)
    },
    onForward: (forward: Forward) => {
      const { tokens, longest, proposed, accepted } = forward
      onForward?.(forward)
      played.forwards++
      played.forwardTokens += tokens
      played.guessed += longest
      played.proposed += proposed
      played.accepted += accepted
    },
  }
  const goThere = (ms: number) => {
    task.onSpan({ part: 'wire', from: played.ms, to: played.ms + ms })
    played.ms += ms
  }
  const steps = way.depth > 0 ? text.steps : [asOne(text.steps)]
  for (let done = 0; done < steps.length;) {
    goThere(world.call + world.roundTrip / 2)
    const rest = steps.slice(done, way.kind === 'sync' ? done + way.depth + 1 : undefined)
    const stage = new Stage(played.ms, { ...task, steps: rest, position: played.tokens }).run()
    played.ms = stage.end
    goThere(world.roundTrip / 2)
    played.starts++
    played.draftedSteps += stage.drafted
    played.draftedTokens += stage.draftedTokens
    played.judged += stage.judged
    played.acceptedSteps += stage.accepted
    played.tokens += tokensOf(rest, stage.accepted, stage.committed)
    done += stage.committed
  }
  return played
}

const noTime = (): Simulated => ({
  ms: 0,
  tokens: 0,
  forwards: 0,
  forwardTokens: 0,
  proposed: 0,
  accepted: 0,
  guessed: 0,
  starts: 0,
  draftedSteps: 0,
  draftedTokens: 0,
  acceptedSteps: 0,
  judged: 0,
  busy: { draft: 0, target: 0, judge: 0, wire: 0 },
})

/** The target alone writes all without a stop. */
const asOne = (steps: readonly Step[]): Step => {
  const own = steps.reduce((tokens, step) => tokens + step.own, 0)
  return { drafted: own, own, agreed: 0, accepted: false }
}

const tokensOf = (steps: readonly Step[], accepted: number, committed: number): number =>
  steps.slice(0, committed).reduce((tokens, { drafted, own }, i) => tokens + (i < accepted ? drafted : own), 0)
