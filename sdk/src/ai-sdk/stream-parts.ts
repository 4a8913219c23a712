import type { JSONObject, LanguageModelV4StreamPart, SharedV4Warning } from '@ai-sdk/provider'
import type { RunEvent, RunStats } from '../protocol/runs.ts'
import { finishReasons } from '../protocol/usage.ts'

type Channel = 'reasoning' | 'text'

/** `providerMetadata.lookahead` of a result. */
export interface LookaheadMetadata {
  runId: string | undefined
  stats: RunStats
}

/** What the steps of a run become: parts of type `custom` and this kind, with the event as `providerMetadata.lookahead`. */
export const STEP = 'lookahead.step'

/** Words a run as parts of the AI SDK: text and reasoning in blocks of their own, and a custom part for every step's event. */
export class StreamParts {
  readonly #modelId: string
  readonly #warnings: SharedV4Warning[]
  #runId: string | undefined
  #open: { channel: Channel; id: string } | undefined
  #blocks = 0

  constructor({ modelId, warnings }: { modelId: string; warnings: SharedV4Warning[] }) {
    this.#modelId = modelId
    this.#warnings = warnings
  }

  /** @param event they must come in order, from the first */
  of(event: RunEvent): LanguageModelV4StreamPart[] {
    switch (event.type) {
      case 'run.started':
        return this.#start(event.run_id)
      case 'text.delta':
        if (event.channel === 'reasoning') return this.#text('reasoning', event.text)
        return event.channel === 'answer' ? this.#text('text', event.text) : []
      case 'step.drafted':
      case 'step.accepted':
      case 'step.rejected':
      case 'step.corrected':
      case 'run.degraded':
      case 'run.waiting':
        return [{ type: 'custom', kind: STEP, providerMetadata: { lookahead: json(event) } }]
      case 'run.completed':
        return [...this.#close(), this.#finish(event)]
      default:
        return []
    }
  }

  /** It comes again where a run that failed before its first text is repeated. */
  #start(id: string): LanguageModelV4StreamPart[] {
    const isFirst = this.#runId === undefined
    this.#runId = id
    return [
      ...(isFirst ? [{ type: 'stream-start' as const, warnings: this.#warnings }] : []),
      { type: 'response-metadata', id, modelId: this.#modelId, timestamp: new Date() },
    ]
  }

  #text(channel: Channel, delta: string): LanguageModelV4StreamPart[] {
    const before: LanguageModelV4StreamPart[] = []
    if (this.#open?.channel !== channel) {
      before.push(...this.#close())
      this.#open = { channel, id: String(this.#blocks++) }
      before.push({ type: `${channel}-start`, id: this.#open.id })
    }
    return [...before, { type: `${channel}-delta`, id: this.#open.id, delta }]
  }

  #close(): LanguageModelV4StreamPart[] {
    const open = this.#open
    this.#open = undefined
    return open ? [{ type: `${open.channel}-end`, id: open.id }] : []
  }

  #finish({ usage, stats, finish_reason }: Extract<RunEvent, { type: 'run.completed' }>): LanguageModelV4StreamPart {
    const { prompt_tokens, completion_tokens, reasoning_tokens: reasoning } = usage
    const metadata: LookaheadMetadata = { runId: this.#runId, stats }
    return {
      type: 'finish',
      finishReason: { unified: finishReasons.find((known) => known === finish_reason) ?? 'other', raw: finish_reason },
      usage: {
        inputTokens: { total: prompt_tokens, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
        outputTokens: {
          total: completion_tokens,
          text: reasoning === undefined ? undefined : completion_tokens - reasoning,
          reasoning,
        },
        raw: json(usage),
      },
      providerMetadata: { lookahead: json(metadata) },
    }
  }
}

/** What came as JSON is JSON. */
const json = (value: object): JSONObject => value as JSONObject
