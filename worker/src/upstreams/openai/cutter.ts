/** Cuts what a model writes into steps, as it comes. */
import { ChannelSplitter, rulesIn } from '@lookahead/sdk/protocol'
import type { ChannelState, PartRules, StepRules } from '@lookahead/sdk/protocol'
import type { StepEnd } from '../../lookahead/verifiers/index.ts'
import { EMPTY, joined } from './passage.ts'
import type { Passage } from './passage.ts'

export interface Step extends Passage {
  end: StepEnd
}

export class StepCutter {
  readonly #rules: StepRules
  readonly #channels: ChannelSplitter
  #step: Passage = EMPTY

  /** @param after where the text before stands among reasoning and answer */
  constructor(rules: StepRules, after: ChannelState) {
    this.#rules = rules
    this.#channels = new ChannelSplitter(after)
  }

  /** What stands after the last whole step. */
  get rest(): Passage {
    return this.#step
  }

  /**
   * @returns the steps that end in it. A token is never cut: the step that ends in it has all of it. A piece of several tokens is,
   * and then the step has no ids, and neither has the next.
   */
  *push(piece: Passage): Generator<Step, void, undefined> {
    const { delimiters, max_tokens } = this.#own
    let { text } = piece
    let isWhole = true
    const thinking = Number((piece.thinking ?? 0) > 0)
    const isToken = piece.ids?.length === 1
    if (isToken && endOf(this.#step.text + text, delimiters) >= 0) {
      this.#channels.push(text)
      yield this.#end(piece, 'delimiter')
      return
    }
    for (;;) {
      const before = this.#step.text
      const end = endOf(before + text, delimiters) - before.length
      if (end < 0 || end >= text.length) break
      this.#channels.push(text.slice(0, end))
      const counts = isWhole ? { tokens: piece.tokens, thinking: piece.thinking ?? 0 } : { tokens: 0 }
      yield this.#end({ text: text.slice(0, end), ids: undefined, ...counts }, 'delimiter')
      text = text.slice(end)
      isWhole = false
    }
    this.#channels.push(text)
    const rest = text === '' ? 0 : 1
    const own: Passage = isWhole ? piece : { text, ids: undefined, tokens: rest, thinking: rest * thinking }
    if (endOf(this.#step.text + text, delimiters) === this.#step.text.length + text.length)
      yield this.#end(own, 'delimiter')
    else if (this.#step.tokens + own.tokens >= max_tokens) yield this.#end(own, 'cap')
    else this.#step = joined(this.#step, own)
  }

  /** The text has ended. @returns its last step, if there is one */
  *flush(end: 'text' | 'length'): Generator<Step, void, undefined> {
    if (this.#step.text !== '' || this.#step.tokens > 0) yield this.#end(EMPTY, end)
  }

  get #own(): PartRules {
    return rulesIn(this.#rules, this.#channels.state.thinking ? 'reasoning' : 'answer')
  }

  #end(last: Passage, end: StepEnd): Step {
    const step = { ...joined(this.#step, last), end }
    this.#step = EMPTY
    return step
  }
}

/** Where the first delimiter ends in a text, or -1. */
function endOf(text: string, delimiters: readonly string[]): number {
  const ends = delimiters.flatMap((delimiter) => {
    const at = text.indexOf(delimiter)
    return at < 0 ? [] : [at + delimiter.length]
  })
  return ends.length > 0 ? Math.min(...ends) : -1
}

/** The delimiters, where an engine can be told to stop at them: where they are the same in reasoning and answer. */
export function stopsOf(rules: StepRules): readonly string[] | undefined {
  const [reasoning, answer] = [rulesIn(rules, 'reasoning').delimiters, rulesIn(rules, 'answer').delimiters]
  return reasoning.join('\0') === answer.join('\0') ? answer : undefined
}
