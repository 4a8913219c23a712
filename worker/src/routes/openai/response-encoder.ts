/** A run as the events of `POST /v1/responses`. What our dialect tells beside comes with the prefix that Open Responses asks for. */
import { encodeEvent, isTerminal } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { isExtra } from './dialect.ts'
import type { Completed, Encoder, Named, TextDelta } from './dialect.ts'
import { closeItem, deltaOf, itemOf, openItem } from './response-items.ts'
import type { Item, ResponseEvent } from './response-items.ts'

/** What a response repeats of its request. */
export interface Echoed {
  /** Whether it can be read again. */
  store?: boolean | undefined
  /** Whether its client does not wait for it. */
  background?: boolean | undefined
  model: string
  instructions?: string | undefined
  max_output_tokens?: number | undefined
  temperature?: number | undefined
  top_p?: number | undefined
  metadata?: object | undefined
}

export interface ResponseOptions extends Echoed {
  /** Whether a stream has the run's own events too: there are clients that fail where they meet a type they do not know. */
  withSteps?: boolean
}

export class ResponseEncoder implements Encoder {
  readonly #named: Named
  readonly #echoed: Echoed
  readonly #withSteps: boolean
  /** All but the last are over. */
  readonly #items: Item[] = []
  #sequence = 0
  readonly #from: number

  /** @param from events of a stream that are numbered lower are left out */
  constructor(named: Named, { withSteps = false, ...echoed }: ResponseOptions, from = 0) {
    this.#named = named
    this.#echoed = echoed
    this.#withSteps = withSteps
    this.#from = from
  }

  event(event: RunEvent): string {
    return this.#events(event)
      .map((sent) => ({ ...sent, sequence_number: this.#sequence++ }))
      .filter(({ sequence_number }) => sequence_number >= this.#from)
      .map((sent) => encodeEvent(sent))
      .join('')
  }

  /** @param events of a stored run: as many as there are */
  whole(events: readonly RunEvent[]): object {
    const last = events.flatMap((event) => this.#events(event)).at(-1)
    const isOver = events.some(isTerminal)
    const response = isOver ? (last!.response as object) : this.#response('in_progress')
    return { ...response, lookahead: { events: events.filter(isExtra) } }
  }

  #events(event: RunEvent): ResponseEvent[] {
    const extra = this.#withSteps && isExtra(event) ? [{ ...event, type: `lookahead:${event.type}` }] : []
    if (event.type === 'run.started') {
      const response = this.#response('in_progress')
      return [{ type: 'response.created', response }, { type: 'response.in_progress', response }, ...extra]
    }
    if (event.type === 'text.delta') return this.#text(event)
    if (event.type === 'run.failed') {
      const { code, message } = event
      const status = code === 'cancelled' ? 'cancelled' : 'failed'
      this.#close('incomplete')
      return [{ type: 'response.failed', response: { ...this.#response(status), error: { code, message } } }]
    }
    if (event.type !== 'run.completed') return extra
    const closed = this.#close(event.finish_reason === 'length' ? 'incomplete' : 'completed')
    const response = this.#ended(event)
    return [...closed, ...extra, { type: `response.${response.status}`, response }]
  }

  /** Reasoning and answer are items of their own: where the channel changes, the one ends and another begins. */
  #text({ channel, text }: TextDelta): ResponseEvent[] {
    const type = channel === 'reasoning' ? 'reasoning' : 'message'
    const before: ResponseEvent[] =
      this.#items.at(-1)?.type === type ? [] : [...this.#close('completed'), ...this.#open(type)]
    const index = this.#items.length - 1
    const item = this.#items[index]!
    item.text += text
    return [...before, deltaOf(item, index, text)]
  }

  #open(type: Item['type']): ResponseEvent[] {
    const index = this.#items.length
    const id = `${type === 'reasoning' ? 'rs' : 'msg'}_${this.#named.id}_${index}`
    const item: Item = { type, id, text: '', status: 'in_progress' }
    this.#items.push(item)
    return openItem(item, index)
  }

  /** Ends the last item, if there is one. */
  #close(status: Item['status']): ResponseEvent[] {
    const item = this.#items.at(-1)
    if (!item) return []
    item.status = status
    return closeItem(item, this.#items.length - 1)
  }

  #ended({ finish_reason, usage }: Completed) {
    const isCut = finish_reason === 'length'
    const { prompt_tokens: input_tokens, completion_tokens: output_tokens, reasoning_tokens } = usage
    return {
      ...this.#response(isCut ? 'incomplete' : 'completed'),
      ...(isCut && { incomplete_details: { reason: 'max_output_tokens' } }),
      usage: {
        input_tokens,
        // A run does not tell them; clients read them without asking whether they are there.
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens,
        output_tokens_details: { ...(reasoning_tokens !== undefined && { reasoning_tokens }) },
        total_tokens: input_tokens + output_tokens,
      },
    }
  }

  #response<const Status extends string>(status: Status) {
    const { model, instructions = null, max_output_tokens = null, temperature = null, top_p = null } = this.#echoed
    const { store = false, background = false } = this.#echoed
    return {
      id: `resp_${this.#named.id}`,
      object: 'response',
      created_at: this.#named.created,
      status,
      error: null,
      incomplete_details: null,
      model,
      output: this.#items.map(itemOf),
      instructions,
      max_output_tokens,
      temperature,
      top_p,
      metadata: this.#echoed.metadata ?? {},
      parallel_tool_calls: false,
      previous_response_id: null,
      store,
      background,
      text: { format: { type: 'text' } },
      tool_choice: 'none',
      tools: [],
      truncation: 'disabled',
      usage: null as object | null,
    }
  }
}
