import { randomUUID } from 'node:crypto'
import type { Scores } from '../../model/index.ts'
import type { Distribution } from '../sampling/distribution.ts'
import type { DraftStep, StepWriter } from '../text/step.ts'
import type { Writer } from './branch.ts'

/** Cuts what the draft model writes into steps, and keeps what each token was drawn from. */
export class DraftWriter implements Writer {
  /** Of all steps. */
  readonly tokens: number[] = []
  readonly #newStep: (written: number) => StepWriter
  #id = ''
  #current: { step: StepWriter; distributions: Distribution[] } | undefined
  #first: Scores | undefined

  /** @param newStep makes the step after `written` tokens of the steps before it */
  constructor(newStep: (written: number) => StepWriter) {
    this.#newStep = newStep
  }

  beginStep(): void {
    this.#id = randomUUID()
    this.#current = { step: this.#newStep(this.tokens.length), distributions: [] }
    this.#first = undefined
  }

  get ended(): boolean {
    return this.#step.step.ended
  }

  /** Keeps what the next token is drawn from. */
  drawsFrom(q: Distribution): Distribution {
    this.#step.distributions.push(q)
    return q
  }

  push(token: number, scores: Scores): void {
    this.tokens.push(token)
    this.#step.step.push(token)
    this.#first ??= scores
  }

  /** The step that has ended. */
  get draftStep(): DraftStep {
    const { step, distributions } = this.#step
    const end = step.end === 'length' ? 'cap' : step.end!
    // Guesses after the step's end were drawn from too.
    return {
      id: this.#id,
      tokens: step.tokens,
      text: step.text,
      end,
      distributions: distributions.slice(0, step.tokens.length),
    }
  }

  /** What the step's first token was drawn from. */
  get first(): Scores {
    return this.#first!
  }

  get #step() {
    if (!this.#current) throw new Error('no step has begun')
    return this.#current
  }
}
