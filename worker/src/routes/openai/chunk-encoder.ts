/** Answers and chunks of completions and chat completions, which differ only in what stands in a choice. */
import type { RunEvent } from '@lookahead/sdk/protocol'
import { gather, isExtra } from './dialect.ts'
import type { Completed, Encoder, Named, TextDelta, WholeRun } from './dialect.ts'
import { failure } from '../../failure.ts'

/** What stands in the choice of a dialect. */
export interface Choices {
  /** Prefix of ids, and the `object` of an answer and of its chunks. */
  id: string
  object: string
  chunkObject: string
  /** Of the first chunk, where it comes before any text. */
  first?: object
  text: (delta: TextDelta) => object
  /** Of the last chunk. */
  last: object
  whole(run: WholeRun): object
}

export interface ChunkOptions {
  model: string
  stream_options?: { include_usage: boolean } | undefined
}

export class ChunkEncoder implements Encoder {
  readonly #choices: Choices
  readonly #header: { id: string; created: number; model: string }
  readonly #tellsUsage: boolean
  /** What goes with the next chunk. */
  #extras: RunEvent[] = []

  constructor(choices: Choices, { id, created }: Named, { model, stream_options }: ChunkOptions) {
    this.#choices = choices
    this.#header = { id: `${choices.id}-${id}`, created, model }
    this.#tellsUsage = stream_options?.include_usage ?? false
  }

  event(event: RunEvent): string {
    const { first, text, last } = this.#choices
    if (event.type === 'run.failed') return data(failure(event).body)
    if (isExtra(event)) this.#extras.push(event)
    if (event.type === 'run.started' && first) return this.#chunk(first)
    if (event.type === 'text.delta') return this.#chunk(text(event))
    if (event.type === 'run.completed') return this.#chunk(last, event.finish_reason) + this.#usage(event) + DONE
    return ''
  }

  whole(events: readonly RunEvent[]): object {
    const run = gather(events)
    const { completed, lookahead } = run
    const choice = { index: 0, ...this.#choices.whole(run), logprobs: null, finish_reason: completed.finish_reason }
    return { object: this.#choices.object, ...this.#header, choices: [choice], usage: usageOf(completed), lookahead }
  }

  #chunk(choice: object, finish_reason: Completed['finish_reason'] | null = null): string {
    const events = this.#extras
    this.#extras = []
    return data({
      ...this.#usual,
      choices: [{ index: 0, ...choice, logprobs: null, finish_reason }],
      ...(this.#tellsUsage && { usage: null }),
      ...(events.length > 0 && { lookahead: { events } }),
    })
  }

  #usage(completed: Completed): string {
    return this.#tellsUsage ? data({ ...this.#usual, choices: [], usage: usageOf(completed) }) : ''
  }

  get #usual(): object {
    return { object: this.#choices.chunkObject, ...this.#header }
  }
}

function usageOf({ usage, stats }: Completed): object {
  const { prompt_tokens, completion_tokens, reasoning_tokens } = usage
  const { proposed_tokens: proposed, accepted_tokens: accepted } = stats
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    completion_tokens_details: {
      ...(reasoning_tokens !== undefined && { reasoning_tokens }),
      accepted_prediction_tokens: accepted,
      rejected_prediction_tokens: proposed - accepted,
    },
  }
}

/** No event has a name here: OpenAI's clients would take it for a chunk. */
const data = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`
const DONE = 'data: [DONE]\n\n'
