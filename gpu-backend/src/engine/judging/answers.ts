import type { ModelRunner } from '../model-runner.ts'
import { ModelError } from '../../checkpoint/index.ts'
import { wholeLogits } from '../../model/index.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'
import { Tree } from '../decode/tree.ts'

export interface ChooseOptions {
  /** Only texts of the same salt share what was run of the prompt. Default: ''. */
  salt?: string
  signal?: AbortSignal | undefined
  /** Rather fails than waits for slots. Default false. */
  optional?: boolean
}

/**
 * Some answers to a prompt, and which of them a model finds likeliest: one prefill, and no token is written. An answer may be
 * any number of tokens: compared are the tokens at the first place where they differ, whatever the tokenizer makes of them.
 */
export class Answers {
  /** The end of every prompt, and what all answers begin with. */
  readonly #shared: readonly number[]
  /** The first token of each answer that no other has. */
  readonly #next: readonly number[]

  /**
   * @param tail what every prompt ends with, up to the answer: tokens that tail and answer share are no difference
   * @param answers texts that may follow it
   * @throws ModelError `unsupported` if they do not all differ at one place
   */
  constructor(tokenizer: Tokenizer, tail: string, answers: readonly string[]) {
    const spelled = answers.map((answer) => tokenizer.encode(tail + answer, { continuing: true }))
    const [first = []] = spelled
    const place = first.findIndex((token, i) => spelled.some((tokens) => tokens[i] !== token))
    const next = spelled.map((tokens) => tokens[place])
    if (place < 0 || next.includes(undefined) || new Set(next).size < answers.length)
      throw new ModelError(
        'unsupported',
        `the tokenizer does not tell ${answers.join(', ')} apart by one token: choose another model`,
      )
    this.#shared = first.slice(0, place)
    this.#next = next as number[]
  }

  /** @returns the place of the likeliest answer, of equals the first one. Else as `weigh`. */
  async choose(...asked: Parameters<Answers['weigh']>): Promise<number> {
    const logits = await this.#scores(...asked)
    return logits.indexOf(Math.max(...logits))
  }

  /**
   * @param prompt without its tail; of one that is too long the beginning is left out
   * @returns the probability of each answer, if it has to be one of them
   * @throws {OnnxRuntimeError}; {NoRoom} where that is `optional`; the signal's reason
   */
  async weigh(runner: ModelRunner, prompt: string, options: ChooseOptions = {}): Promise<number[]> {
    return softmax(await this.#scores(runner, prompt, options))
  }

  async #scores(
    runner: ModelRunner,
    prompt: string,
    { signal, salt, optional }: ChooseOptions = {},
  ): Promise<number[]> {
    const tokens = [...runner.model.tokenizer.encode(prompt, { fenced: true }), ...this.#shared].slice(-runner.capacity)
    const tree = new Tree(runner, { signal, salt, ...(optional !== undefined && { optional }) })
    try {
      const [scores] = await tree.prefill(tokens, [], [0])
      const logits = wholeLogits(scores)
      return this.#next.map((token) => logits[token]!)
    } finally {
      tree.release()
    }
  }
}

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits)
  const weights = logits.map((logit) => Math.exp(logit - most))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
