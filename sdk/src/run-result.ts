import type { Channel } from './protocol/channels.ts'
import type { OpenWord } from './protocol/open-word.ts'
import type { RunEvent, RunStats } from './protocol/runs.ts'
import type { FinishReason, Usage } from './protocol/usage.ts'

/** One step of the output, and how it got there. */
export interface RunStep {
  /** Its place in the output, from 0. */
  step: number
  text: string
  /** `accepted`: drafted, and kept by the verifier; `corrected`: the target's own. */
  fate: 'accepted' | 'corrected'
  /** The drafted step that this one replaced. */
  rejected?: string
}

/** A completed run. */
export interface RunResult {
  /** The whole output, reasoning and answer as they came. */
  text: string
  reasoning: string
  answer: string
  /** A newer server may have words of its own. */
  finishReason: OpenWord<FinishReason>
  usage: Usage
  stats: RunStats
  /** What the target writes while nothing is drafted is in none: there are none in the modes `ar` and `sd`, and `auto` may leave places out. */
  steps: RunStep[]
}

/** Gathers what a run's events say into its result. */
export class RunResultBuilder {
  #text = ''
  readonly #channels = { reasoning: '', answer: '' }
  readonly #steps: RunStep[] = []
  #rejected: string | undefined

  add(event: RunEvent): void {
    if (event.type === 'text.delta') {
      this.#text += event.text
      if (event.channel in this.#channels) this.#channels[event.channel as Channel] += event.text
    } else if (event.type === 'step.accepted') {
      this.#steps.push({ step: event.step, text: event.text, fate: 'accepted' })
      // It was another of the alternatives that was rejected for its place.
      this.#rejected = undefined
    } else if (event.type === 'step.rejected') {
      this.#rejected ??= event.text
    } else if (event.type === 'step.corrected') {
      const replaced = this.#rejected === undefined ? {} : { rejected: this.#rejected }
      this.#steps.push({ step: event.step, text: event.text, fate: 'corrected', ...replaced })
      this.#rejected = undefined
    }
  }

  build({ finish_reason, usage, stats }: Extract<RunEvent, { type: 'run.completed' }>): RunResult {
    return { text: this.#text, ...this.#channels, finishReason: finish_reason, usage, stats, steps: this.#steps }
  }
}
