import { SpeculationCounts } from '../../engine/speculation/accept.ts'
import { ReasoningTokens } from '../../engine/text/reasoning-tokens.ts'
import type { Job } from './job.ts'
import type { IndexedPiece } from './write-all.ts'

/** What was read, written and guessed, so far as the pieces tell. Each prompt counts once, however many texts were asked for. */
export class Account {
  readonly #job: Job
  /** Of each text of a chat. */
  readonly #reasoning: ReasoningTokens[] | undefined
  readonly #speculation = new SpeculationCounts()
  #completionTokens = 0
  #reasoningTokens = 0
  #cachedTokens = 0

  constructor(job: Job) {
    this.#job = job
    const { channels, served, texts } = job
    this.#reasoning = channels && texts.map(() => new ReasoningTokens(served.runner.model.tokenizer, channels))
  }

  add({ index, tokens, ending }: IndexedPiece): void {
    this.#completionTokens += tokens.length
    this.#reasoningTokens += this.#reasoning?.[index]?.push(tokens) ?? 0
    if (!ending) return
    this.#speculation.include(ending.speculation)
    if (index % this.#job.n === 0) this.#cachedTokens += ending.cachedTokens
  }

  get usage() {
    const { promptTokens } = this.#job
    const { proposed, accepted } = this.#speculation
    return {
      prompt_tokens: promptTokens,
      completion_tokens: this.#completionTokens,
      total_tokens: promptTokens + this.#completionTokens,
      prompt_tokens_details: { cached_tokens: this.#cachedTokens },
      completion_tokens_details: {
        ...(this.#reasoning && { reasoning_tokens: this.#reasoningTokens }),
        accepted_prediction_tokens: accepted,
        rejected_prediction_tokens: proposed - accepted,
      },
    }
  }

  /** Fields of an answer; `metrics` are vLLM's, and left out where nothing was guessed. */
  get fields() {
    const { drafts, proposed, accepted, meanLength, perPosition } = this.#speculation
    if (drafts === 0) return { usage: this.usage }
    const speculative_decoding = {
      mean_acceptance_length: meanLength,
      draft_acceptance_rate: accepted / proposed,
      acceptance_histogram: [drafts, ...perPosition].map((count, i) => count - (perPosition[i] ?? 0)),
      accepted_per_position: perPosition,
      num_spec_steps: drafts,
      num_draft_tokens: proposed,
      num_accepted_draft_tokens: accepted,
    }
    return { usage: this.usage, metrics: { speculative_decoding } }
  }
}
