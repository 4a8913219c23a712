/** The engine's calls, each read to its end: what a test says to it, and what it hears. */
import path from 'node:path'
import { StepRules, parseRequest } from '@lookahead/sdk/protocol'
import type { DraftRequestInput, Sampling, StepRulesInput, VerifyRequestInput } from '@lookahead/sdk/protocol'
import { draft } from '../src/engine/decode/draft.ts'
import { Engine } from '../src/engine/engine.ts'
import type { EngineOptions } from '../src/engine/engine.ts'
import type { Committed, Done, StepDrafted, VerdictGiven, VerifyEvent } from '../src/engine/events.ts'
import { generate } from '../src/engine/decode/generate.ts'
import type { Ending, GenerateRequest } from '../src/engine/decode/generate.ts'
import { neutralRules } from '../src/engine/sampling/logits.ts'
import { lookahead } from '../src/engine/decode/lookahead.ts'
import { verifySteps } from '../src/engine/decode/verify.ts'
import { parseDraft, parseVerify, readRules, readSampling } from '../src/server/wire.ts'

export { parseDraft, parseVerify, readSampling }

type Context = VerifyRequestInput['context']
export type DraftOptions = Omit<DraftRequestInput, 'context' | 'depth'>
export type VerifyOptions = Omit<VerifyRequestInput, 'context'>
export type GenerateOptions = Partial<Omit<GenerateRequest, 'rules' | 'sampling'>> & {
  rules?: Partial<GenerateRequest['rules']>
  sampling?: Sampling
}

/** How the engine has these rules. */
export const stepRules = (input: StepRulesInput = {}) => readRules(parseRequest(StepRules, input))

const never = new AbortController().signal

/** Guesses nothing. */
export const unaided = { drafted: false, ngram: 0, draft: 0 } as const
/** Guesses what was drafted, and nothing else. */
export const asDrafted = { ...unaided, drafted: true } as const

/** The shipped models. */
export const loadEngine = (options: Partial<EngineOptions> = {}): Promise<Engine> =>
  Engine.load({ models: path.join(import.meta.dirname, '../models'), slots: 2048, ...options })

/** Forgets what was run, and makes sure that no slot is lost. */
export function forget(engine: Engine): void {
  for (const { runner } of engine.runners) {
    runner.kv.assertIdle()
    runner.kv.prefixes.evict(Infinity)
    if (runner.kv.pool.free !== runner.kv.pool.size) throw new Error('slots are in use, and nobody is at work')
  }
}

export async function draftSteps(
  engine: Engine,
  context: Context,
  depth: number,
  options: DraftOptions = {},
): Promise<StepDrafted[]> {
  const request = parseDraft({ context, depth, ...options })
  const steps: StepDrafted[] = []
  for await (const event of draft(engine, await engine.context(request.context), request, never))
    if (event.type === 'step') steps.push(event)
  return steps
}

export interface Verified {
  events: VerifyEvent[]
  verdicts: Omit<VerdictGiven, 'type'>[]
  commit: Committed
  /** The text as a reader has it: what the deltas said, and what the commit adds. */
  said: string
  speculation: NonNullable<Done['speculation']>
}

export async function verify(engine: Engine, context: Context, options: VerifyOptions): Promise<Verified> {
  const request = parseVerify({ context, ...options })
  const events: VerifyEvent[] = []
  for await (const event of verifySteps(engine, await engine.context(request.context), request, never))
    events.push(event)
  const commit = events.find((event) => event.type === 'commit')!
  const deltas = events.map((event) => (event.type === 'delta' ? event.text : '')).join('')
  return {
    events,
    verdicts: events.flatMap((event) => (event.type === 'verdict' ? [without(event)] : [])),
    commit,
    said: deltas + commit.text.slice(deltas.length),
    speculation: events.find((event) => event.type === 'done')!.speculation!,
  }
}

/** Drafts and verifies at the same time, until the text ends or `options` have had enough. */
export async function follow(
  engine: Engine,
  { prompt, messages, id = 'run' }: Partial<Context>,
  options: Omit<VerifyOptions, 'steps' | 'follow'>,
  signal: AbortSignal = never,
): Promise<VerifyEvent[]> {
  const { sampling, step_rules } = options
  const named = { context: { id, prompt, messages }, sampling, step_rules, follow: true }
  const drafting = parseDraft({ ...named, depth: 1 })
  const verifying = parseVerify({ ...options, ...named })
  const context = await engine.context(verifying.context)
  const left = new AbortController()
  const either = AbortSignal.any([signal, left.signal])
  const drafted = (async () => {
    for await (const _ of draft(engine, context, drafting, either));
  })().catch((error: unknown) => {
    if (!either.aborted) throw error
  })
  const events: VerifyEvent[] = []
  try {
    for await (const event of lookahead(engine, context, verifying, either)) events.push(event)
  } finally {
    left.abort()
    await drafted
    engine.contexts.drop(id)
  }
  return events
}

const without = ({ index, alternative, accepted, reason }: VerdictGiven): Omit<VerdictGiven, 'type'> => ({
  index,
  ...(alternative !== undefined && { alternative }),
  accepted,
  reason,
})

export interface Written extends Ending {
  text: string
  tokens: number[]
}

/** By the target, at temperature 0, unless something else is said. */
export function generateRequest(
  engine: Engine,
  prompt: readonly number[],
  { rules, sampling = { temperature: 0 }, ...options }: GenerateOptions = {},
): GenerateRequest {
  return {
    runner: engine.target,
    prompt,
    maxTokens: 100,
    sampling: readSampling(sampling),
    stop: [],
    stopTokens: new Set(),
    ignoreEndOfText: false,
    includeStop: false,
    skipSpecial: true,
    logprobs: undefined,
    rules: { ...neutralRules, ...rules },
    ...options,
  }
}

/** Guesses nothing, unless something else is said. */
export async function write(
  engine: Engine,
  prompt: readonly number[],
  options: GenerateOptions = {},
): Promise<Written> {
  const request = generateRequest(engine, prompt, { ngram: 0, draft: 0, ...options })
  const written: Partial<Written> & { text: string; tokens: number[] } = { text: '', tokens: [] }
  for await (const { text, tokens, ending } of generate(engine, request, never)) {
    written.text += text
    written.tokens.push(...tokens)
    if (ending) Object.assign(written, ending)
  }
  return written as Written
}
