import { verdictReasons } from '@lookahead/sdk/protocol'
import type { Verdict } from '@lookahead/sdk/protocol'
import type { RunnerStats } from '../engine/model-runner.ts'
import type { Engine } from '../engine/engine.ts'
import type { Role } from '../engine/load-models.ts'
import type { Calls } from './calls.ts'
import { Registry } from './prometheus.ts'

const FIRST_TOKEN = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80]
const BETWEEN_TOKENS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5]
const WHOLE = [0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960]

/**
 * Why a request ended: `stop` and `length` as OpenAI has them; `step`: a draft or verify call whose text goes on; `abort`:
 * the client left or the server stopped; `error`.
 */
export type EndReason = 'stop' | 'length' | 'step' | 'abort' | 'error'
const endReasons: readonly EndReason[] = ['stop', 'length', 'step', 'abort', 'error']

/** What the engine keeps count of itself, read when somebody asks. */
const kept: [type: 'gauge' | 'counter', name: string, help: string, read: (stats: RunnerStats) => number][] = [
  ['gauge', 'num_requests_running', 'Texts that stand in slots.', (stats) => stats.running],
  ['gauge', 'num_requests_waiting', 'Texts that wait for slots, prompts for a forward.', (stats) => stats.waiting],
  ['gauge', 'kv_cache_usage_perc', 'Part of the slots in use, 0 to 1.', ({ slots }) => slots.used / slots.total],
  ['counter', 'prefix_cache_queries_total', 'Prompt tokens looked up.', (stats) => stats.prefixQueries],
  ['counter', 'prefix_cache_hits_total', 'Prompt tokens whose slots were shared.', (stats) => stats.prefixHits],
  ['counter', 'prefix_cache_evictions_total', 'Slots taken from the prefix cache.', (stats) => stats.evictions],
  ['counter', 'num_preemptions_total', 'Texts that gave their slots back for a while.', (stats) => stats.preemptions],
  ['counter', 'forwards_total', 'Forwards run.', (stats) => stats.forwards],
  ['counter', 'forward_tokens_total', 'New tokens of all forwards.', (stats) => stats.newTokens],
  ['counter', 'whole_logits_total', 'Rows of logits handed out whole.', (stats) => stats.wholeLogits],
  ['counter', 'attention_useful_pairs_total', 'Pairs of new token and key.', (stats) => stats.usefulArea],
  [
    'counter',
    'attention_padded_pairs_total',
    'The same with every row of a forward as large as its largest.',
    (stats) => stats.paddedArea,
  ],
]

/** What `/metrics` tells, under vLLM's names with an own prefix; `model_name` is the model that runs. */
export class Metrics {
  readonly #registry = new Registry('lookahead:')
  readonly #kept = kept.map(([type, name, help, read]) => ({ metric: this.#registry[type](name, help), read }))
  readonly #calls = this.#registry.gauge('num_calls', 'HTTP calls under way.')
  readonly #prompt = this.#registry.counter('prompt_tokens_total', 'Tokens of prompts.')
  readonly #generation = this.#registry.counter('generation_tokens_total', 'Tokens written.')
  readonly #requests = this.#registry.counter('request_success_total', 'Requests ended, by why they ended.')
  readonly #drafts = this.#registry.counter('spec_decode_num_drafts_total', 'Forwards of a text with token guesses.')
  readonly #proposed = this.#registry.counter('spec_decode_num_draft_tokens_total', 'Token guesses made.')
  readonly #accepted = this.#registry.counter('spec_decode_num_accepted_tokens_total', 'Token guesses kept.')
  readonly #perPosition = this.#registry.counter(
    'spec_decode_num_accepted_tokens_per_pos_total',
    'Token guesses kept, by place in the proposal.',
  )
  readonly #steps = this.#registry.counter('steps_drafted_total', 'Steps the draft model finished.')
  readonly #verdicts = this.#registry.counter('step_verdicts_total', 'Rulings on drafted steps, by ruling and reason.')
  readonly #firstToken = this.#registry.histogram(
    'time_to_first_token_seconds',
    'From the request to its first token.',
    FIRST_TOKEN,
  )
  readonly #betweenTokens = this.#registry.histogram(
    'inter_token_latency_seconds',
    'Between a token and the next; tokens that come together share the time.',
    BETWEEN_TOKENS,
  )
  readonly #whole = this.#registry.histogram('e2e_request_latency_seconds', 'From the request to its end.', WHOLE)

  constructor() {
    this.#steps.add(0)
    for (const reason of verdictReasons)
      for (const accepted of ['true', 'false']) this.#verdicts.add(0, { accepted, reason })
    for (const model_name of ['target', 'draft']) {
      for (const counter of [this.#prompt, this.#generation, this.#drafts, this.#proposed, this.#accepted])
        counter.add(0, { model_name })
      for (const finished_reason of endReasons) this.#requests.add(0, { model_name, finished_reason })
    }
  }

  /** Starts to measure one text or one call. */
  start(model: Role, promptTokens: number): Measurement {
    const model_name = { model_name: model }
    const started = performance.now()
    let last: number | undefined
    this.#prompt.add(promptTokens, model_name)
    return {
      tokens: (count) => {
        const now = performance.now()
        this.#generation.add(count, model_name)
        if (last === undefined) this.#firstToken.observe((now - started) / 1000, model_name)
        else if (count > 0) this.#betweenTokens.observe((now - last) / 1000 / count, model_name, count)
        else return
        last = now
      },
      speculated: ({ drafts = 0, proposed, accepted, perPosition = [] }) => {
        this.#drafts.add(drafts, model_name)
        this.#proposed.add(proposed, model_name)
        this.#accepted.add(accepted, model_name)
        for (const [position, count] of perPosition.entries())
          this.#perPosition.add(count, { ...model_name, position: String(position) })
      },
      end: (finished_reason) => {
        this.#requests.add(1, { ...model_name, finished_reason })
        this.#whole.observe((performance.now() - started) / 1000, model_name)
      },
    }
  }

  stepDrafted(): void {
    this.#steps.add(1)
  }

  ruled({ accepted, reason }: Verdict): void {
    this.#verdicts.add(1, { accepted: String(accepted), reason })
  }

  /** @param engine undefined while the models load */
  render(calls: Calls, engine: Engine | undefined): string {
    this.#calls.set(calls.running)
    for (const [model_name, stats] of Object.entries(engine?.stats ?? {}))
      for (const { metric, read } of this.#kept) metric.set(read(stats), { model_name })
    return this.#registry.render()
  }
}

/** One text, or one call, under measurement. */
export interface Measurement {
  /** Tokens have come; 0 marks text whose tokens are counted later. */
  tokens(count: number): void
  speculated(counts: {
    drafts?: number | undefined
    proposed: number
    accepted: number
    perPosition?: readonly number[] | undefined
  }): void
  /** To be called once. */
  end(reason: EndReason): void
}
