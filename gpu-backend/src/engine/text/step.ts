import type { Distribution } from '../sampling/distribution.ts'
import type { StepEnd } from '@lookahead/worker/verifiers'
import { StreamingDecoder } from '../../tokenizer/index.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'

export interface StepRules {
  /** What ends a step. */
  delimiter: string
  /** Steps to write as if they were one. Default 1. */
  steps?: number
  /** Step cap, in tokens. */
  cap: number
  /** Tokens that the request or the model still has room for. */
  room: number
  endOfText: readonly number[]
}

/** Collects the tokens of one step and says when it has ended. Tokens after the end are refused. */
export class StepWriter {
  readonly tokens: number[] = []
  text = ''
  end: StepEnd | undefined
  readonly #rules: StepRules
  readonly #decoder: StreamingDecoder
  #stepsLeft: number
  /** The text since the last delimiter. */
  #open = ''

  constructor(tokenizer: Tokenizer, rules: StepRules) {
    this.#rules = rules
    this.#stepsLeft = rules.steps ?? 1
    this.#decoder = new StreamingDecoder(tokenizer)
  }

  get ended(): boolean {
    return this.end !== undefined
  }

  push(token: number): void {
    if (this.end) return
    const { cap, room, endOfText } = this.#rules
    this.tokens.push(token)
    if (endOfText.includes(token)) this.end = 'text'
    else {
      this.#write(this.#decoder.push(token))
      if (this.#stepsLeft <= 0) this.end = 'delimiter'
      else if (this.tokens.length >= room) this.end = 'length'
      else if (this.tokens.length >= cap) this.end = 'cap'
    }
  }

  #write(text: string): void {
    const { delimiter } = this.#rules
    this.text += text
    const steps = (this.#open + text).split(delimiter)
    this.#open = steps.pop()!
    this.#stepsLeft -= steps.length
  }
}

/** A step the draft model wrote, with what its tokens were drawn from. */
export interface DraftStep {
  /** Empty when the step came as text alone. */
  id: string
  tokens: readonly number[]
  text: string
  end: Exclude<StepEnd, 'length'>
  /** One per token; undefined when the step came as text alone. */
  distributions: readonly (Distribution | undefined)[]
  /** Others drafted in its place; what is drafted after it goes on from it alone. Default: none. */
  alternatives?: readonly DraftStep[]
}
