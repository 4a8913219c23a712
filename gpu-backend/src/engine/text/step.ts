import { ChannelSplitter } from '@lookahead/sdk/protocol'
import type { Channel, ChannelState } from '@lookahead/sdk/protocol'
import type { Distribution } from '../sampling/distribution.ts'
import type { StepEnd } from '@lookahead/worker/verifiers'
import { StreamingDecoder } from '../../tokenizer/index.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'
import { endsSentence } from './sentence.ts'

/** How steps that begin in one part of a text are cut. */
export interface PartRules {
  /** Texts that end a step. */
  delimiters: readonly string[]
  /** Whether a sentence ends a step. */
  sentences: boolean
  /** The step cap, in tokens: a step is cut after so many. */
  maxTokens: number
  /** What becomes of drafted steps that a cap cut. */
  halfSteps: 'reject' | 'verify'
}

export type StepRules = Readonly<Record<Channel, PartRules>>

/** Tokens that a step may have, wherever it begins. */
export const longestStep = ({ reasoning, answer }: StepRules): number => Math.max(reasoning.maxTokens, answer.maxTokens)

export interface StepWriterOptions {
  rules: StepRules
  /** Where the text before it stands among the channels. */
  after: ChannelState
  /** Steps to write as if they were one. Default 1. */
  steps?: number
  /** Tokens that the request or the model still has room for. */
  room: number
  endOfText: readonly number[]
}

/** Collects the tokens of one step, or of several, and says when the last has ended. Tokens after the end are refused. */
export class StepWriter {
  readonly tokens: number[] = []
  text = ''
  end: StepEnd | undefined
  readonly #options: StepWriterOptions
  readonly #decoder: StreamingDecoder
  readonly #channels: ChannelSplitter
  #finished = 0
  /** The step that is being written. */
  #step = newStep()

  constructor(tokenizer: Tokenizer, options: StepWriterOptions) {
    this.#options = options
    this.#decoder = new StreamingDecoder(tokenizer)
    this.#channels = new ChannelSplitter(options.after)
  }

  get ended(): boolean {
    return this.end !== undefined
  }

  /** Steps begun: all have ended but perhaps the last. */
  get steps(): number {
    return this.#finished + Number(this.#step.tokens > 0)
  }

  /** Of the step that is being written, or was last: those of the part that its first text belongs to. */
  get rules(): PartRules {
    return this.#options.rules[this.#step.channel ?? (this.#channels.state.thinking ? 'reasoning' : 'answer')]
  }

  push(token: number): void {
    if (this.end) return
    const { steps = 1, room, endOfText } = this.#options
    this.tokens.push(token)
    this.#step.tokens++
    const end = endOfText.includes(token) ? 'text' : this.#write(token)
    const isLast = this.#finished + 1 === steps
    const isOver = end === 'text' || (end === 'delimiter' && isLast)
    if (!isOver && this.tokens.length >= room) this.end = 'length'
    else if (isOver || isLast) this.end = end
    else if (end) {
      this.#finished++
      this.#step = newStep()
    }
  }

  #write(token: number): 'delimiter' | 'cap' | undefined {
    const step = this.#step
    const before = step.text.length
    const text = this.#decoder.push(token)
    const parts = this.#channels.cut(text)
    this.text += text
    step.text += text
    step.channel ??= parts.find(({ channel }) => channel !== undefined)?.channel
    const { rules } = this
    if (endsStep(step.text, before, rules)) return 'delimiter'
    return step.tokens >= rules.maxTokens ? 'cap' : undefined
  }
}

interface OpenStep {
  text: string
  tokens: number
  /** The part of the text that its first text belongs to. */
  channel: Channel | undefined
}

const newStep = (): OpenStep => ({ text: '', tokens: 0, channel: undefined })

/** Whether a step ends in what came after its first `from` characters. White space alone is no step. */
function endsStep(text: string, from: number, { delimiters, sentences }: PartRules): boolean {
  const isDelimited = delimiters.some((delimiter) => {
    const at = text.lastIndexOf(delimiter)
    const end = at + delimiter.length
    return at >= 0 && end > from && /\S/.test(text.slice(0, end))
  })
  return isDelimited || (sentences && endsSentence(text))
}

/** The part of a text that a step begins in: the one its first text belongs to. @param after where the text before it leaves off */
export function channelOf(step: string, after: ChannelState): Channel {
  const splitter = new ChannelSplitter(after)
  const first = splitter.cut(step).find(({ channel }) => channel !== undefined)
  return first?.channel ?? (splitter.state.thinking ? 'reasoning' : 'answer')
}

/** Whether a text that came as a step is a whole one. */
export function isWholeStep(text: string, { delimiters, sentences }: PartRules): boolean {
  const { length } = text.trimEnd()
  const isDelimited = delimiters.some((delimiter) => text.endsWith(delimiter))
  return (isDelimited && length > 0) || (sentences && endsSentence(`${text} `))
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
