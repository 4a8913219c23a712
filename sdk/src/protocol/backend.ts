/** What the worker and the GPU backend say to each other: `POST /v1/draft` and `POST /v1/verify`, each answered by SSE. */
import * as v from 'valibot'
import { ChannelState } from './channels.ts'
import { ErrorBody } from './errors.ts'
import { TokenIds, list } from './lists.ts'
import { openWord } from './open-word.ts'
import { CacheSalt, Sampling, promptEntries, stopEntries } from './sampling.ts'
import { StepRules } from './steps.ts'
import { tokenGuesses } from './token-guesses.ts'
import { Usage } from './usage.ts'
import type { FinishReason } from './usage.ts'
import { VerdictReason } from './verdict.ts'
import { Threshold } from './threshold.ts'
import { Verifier } from './verifier.ts'
import { MAX_WIDTH } from './width.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const positive = v.pipe(v.number(), v.integer(), v.minValue(1))
const milliseconds = v.number()

/**
 * The text so far, by name. The backend keeps it between calls:
 * - with `messages` or `prompt` the context is (re)made: prompt, then the token ids of `output`;
 * - with `length`, it must be there with exactly so many output tokens, else the answer is 409 `context_lost`;
 * - with `continues`, it must be there, and the call goes on where the one that verifies on it ends, after its present cycle.
 */
export const Context = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
    ...promptEntries,
    output: v.optional(TokenIds),
    /** Only texts of the same salt share what was run of a new context, so that nobody can tell what others have asked. */
    cache_salt: v.optional(CacheSalt),
    length: v.optional(count),
    continues: v.optional(v.literal(true)),
  }),
  v.check(
    ({ messages, prompt, length, continues }) =>
      [messages, prompt, length, continues].filter((x) => x !== undefined).length === 1,
    'give exactly one of messages, prompt, length or continues',
  ),
  v.forward(
    v.check(
      ({ length, continues, output }) => output === undefined || (length ?? continues) === undefined,
      'goes with messages or prompt only',
    ),
    ['output'],
  ),
)
export type Context = v.InferOutput<typeof Context>

const width = v.optional(v.pipe(positive, v.maxValue(MAX_WIDTH)), 1)

/** How text is cut into steps. Calls on one text cut it alike, or drafted steps end elsewhere than the target's. */
export const stepEntries = { step_rules: v.optional(StepRules, {}) }

export const DraftRequest = v.strictObject({
  context: Context,
  /** Steps to draft ahead (γ1). */
  depth: v.pipe(positive, v.maxValue(32)),
  /** Alternatives to draft for each; the steps after it go on from the first. With `follow`, the call that verifies says how many. */
  width,
  /**
   * Goes on as long as the text does, always so far ahead of what is committed as the call that verifies says, which tells of
   * the steps too.
   */
  follow: v.optional(v.boolean(), false),
  sampling: v.optional(Sampling, {}),
  /** Token speculation inside drafted steps, which are the same with it and without: guesses by n-gram of the text so far. */
  speculation: v.optional(v.strictObject({ ngram: v.optional(tokenGuesses.ngram, 8) }), {}),
  ...stepEntries,
})
export type DraftRequest = v.InferOutput<typeof DraftRequest>
export type DraftRequestInput = v.InferInput<typeof DraftRequest>

const namedStep = { id: v.optional(v.string()), text: v.string() }

export const VerifyRequest = v.strictObject({
  context: Context,
  /** Drafted steps in order, as `/v1/draft` gave them (the id finds tokens and probabilities) or from elsewhere (text alone). */
  steps: v.optional(
    list(
      32,
      v.strictObject({
        ...namedStep,
        /** Others for its place, ruled on in order where it is rejected; the steps after it do not go on from them. */
        alternatives: v.optional(list(MAX_WIDTH - 1, v.strictObject(namedStep)), []),
      }),
    ),
    [],
  ),
  /** Goes on cycle after cycle, and takes the steps that a draft call writes on this context as they come. */
  follow: v.optional(v.boolean(), false),
  /** With `follow`: drafted steps that may stand uncommitted. 0: the target writes alone. */
  depth: v.optional(v.pipe(count, v.maxValue(32)), 8),
  /** With `follow`: alternatives drafted for each of them. */
  width,
  /** With `follow`: whether drafting and verification overlap, instead of taking turns. Default: as is best on this backend. */
  overlap: v.optional(v.boolean()),
  verifier: v.optional(Verifier, 'judge'),
  /** How strict the verifier is, where it takes a threshold. Default: its own. */
  threshold: v.optional(Threshold),
  /** Token speculation inside target steps. */
  speculation: v.optional(
    v.strictObject({
      drafted: v.optional(tokenGuesses.drafted, true),
      ngram: v.optional(tokenGuesses.ngram, 8),
      draft: v.optional(tokenGuesses.draft, 16),
    }),
    {},
  ),
  /**
   * Whether the target draws each token with the noise that the draft drew it with there: then seed and place alone decide, and
   * more drafted steps come out the same. Else it draws independently, and keeps what guesses it can (Leviathan et al.).
   * Default: with a seed, and where nothing is guessed.
   */
  coupled: v.optional(v.boolean()),
  /** How many steps the target writes after the last accepted one; `end`: to the end of the text. */
  decode: v.optional(v.union([positive, v.literal('end')]), 1),
  /** Tokens this call may commit at most; with `follow`, output tokens that the text may have in all. */
  max_tokens: positive,
  ...stopEntries,
  sampling: v.optional(Sampling, {}),
  ...stepEntries,
})
export type VerifyRequest = v.InferOutput<typeof VerifyRequest>
export type VerifyRequestInput = v.InferInput<typeof VerifyRequest>

/** First event of both streams. */
const ContextEvent = v.object({
  type: v.literal('context'),
  prompt_tokens: count,
  /** Output tokens the context holds before this call. */
  output_tokens: count,
  /** Where the prompt leaves off among the channels: `thinking` says whether generation starts inside `<think>`. */
  ...ChannelState.entries,
})

/** Work done for one call, in milliseconds of wall time. */
export const Timings = v.object({
  total_ms: milliseconds,
  /** Time until each model's scores were there, waiting for slots and for others' forwards included. */
  draft_ms: v.optional(milliseconds, 0),
  target_ms: v.optional(milliseconds, 0),
  judge_ms: v.optional(milliseconds, 0),
  /** Of the time of the model that wrote, what it took to read the text before: all of it, or what was not remembered. */
  prompt_ms: v.optional(milliseconds),
  /** Of a cycle: how long the target waited for drafted steps and guesses, the draft's reading of the text before left out. */
  wait_ms: v.optional(milliseconds),
  /** Of a cycle: the part of all forwards that was this text's own, that of reading the text before left out, and the most texts that were at work with it, itself included. */
  share_ms: v.optional(milliseconds),
  load: v.optional(count),
  /** Times that the model that wrote (draft for `/v1/draft`, target for `/v1/verify`) was asked for scores; a long prompt counts once. */
  forwards: count,
})
export type Timings = v.InferOutput<typeof Timings>

export const DraftedStep = v.object({
  type: v.literal('step'),
  id: v.string(),
  /** 0-based place in this call. */
  index: count,
  /** Which of the alternatives for this place, from 1; absent for the first, which the steps after it go on from. */
  alternative: v.optional(positive),
  /** Text up to and including what ends it. */
  text: v.string(),
  tokens: count,
  /** What ended it: a delimiter or a sentence's end, the step cap, or the end of the text. */
  end: openWord<'delimiter' | 'cap' | 'text'>(),
})
export type DraftedStep = v.InferOutput<typeof DraftedStep>

const ErrorEvent = v.object({ type: v.literal('error'), ...ErrorBody.entries })

export const DraftEvent = v.variant('type', [
  ContextEvent,
  DraftedStep,
  v.object({ type: v.literal('done'), usage: Usage, timings: Timings }),
  ErrorEvent,
])
export type DraftEvent = v.InferOutput<typeof DraftEvent>

/** The verifier's ruling on one drafted step. A step without a verdict is never accepted. */
export const Verdict = v.object({
  type: v.literal('verdict'),
  /** The drafted step's place in the request. */
  index: count,
  /** Which of its alternatives, from 1; absent for the step itself. */
  alternative: v.optional(positive),
  accepted: v.boolean(),
  /**
   * - `exact`: same tokens, or same text but for case and white space; with the `exact` verifier also: not the same tokens
   * - `numbers`, `names`: the two name different ones, so they cannot mean the same, and no judge is asked
   * - `unlikely`: the target gives one of its tokens so small a probability in its place that no judge is asked, or that the token does not stand
   * - `likely`: all its tokens are typical enough of what the target draws in their place
   * - `judge`: the judge compared the meanings
   * - `score`, `random`: the target's rating of the drafted step; a coin
   * - `embedding`: the cosine of their embeddings
   * - `half_step`: one of the two was cut by the step cap, so it is not judged
   * - `end`: one of the two ends the text, or begins or ends the thinking, so the target's own words stand
   * - `no_judge`: the backend has no judge, so only equal steps are accepted
   * - `judge_failed`: the verifier failed, or did not answer in time
   *
   * Verifiers registered from outside may have other words.
   */
  reason: VerdictReason,
  /** How probable it is that both steps mean the same, where a judge was asked that tells: 0 to 1. */
  probability: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  /** The target's own step, where a judge has compared it with an accepted one. */
  target: v.optional(v.string()),
})
export type Verdict = v.InferOutput<typeof Verdict>

/** What a verify call adds to the output: the accepted drafted steps, then the target's own step. */
export const Commit = v.object({
  type: v.literal('commit'),
  /** Drafted steps accepted. */
  accepted: count,
  /** Those, and the steps of the correction. */
  steps: count,
  /** Accepted steps and correction together. */
  text: v.string(),
  /** Token ids of `text` (and of the end of text, if it came). */
  tokens: v.array(count),
  /** How many of them are thinking, its tags included. */
  reasoning_tokens: v.optional(count),
  /** The target's own step: it replaces the first rejected draft or follows the last accepted one; empty after an accepted end. */
  correction: v.string(),
  /** Set when the run is over. */
  finish_reason: v.nullable(openWord<FinishReason>()),
})
export type Commit = v.InferOutput<typeof Commit>

const work = {
  usage: Usage,
  timings: Timings,
  /** Times that tokens were guessed inside target steps, guesses made, and guesses kept. */
  speculation: v.object({
    drafts: v.optional(count),
    proposed: count,
    accepted: count,
    /** Of each place in a proposal, how often its guess was kept; of the first 16 places. */
    accepted_per_position: v.optional(v.array(count)),
    /** Tokens that a forward with guesses gave: `1 + accepted / drafts`. */
    mean_length: v.optional(v.number()),
  }),
}

export const VerifyEvent = v.variant('type', [
  ContextEvent,
  /**
   * Text that no later verdict can change, and the ids of its tokens: a context of the output before the call and all tokens
   * told since goes on where the deltas leave off. What ends the text only the commit tells.
   */
  v.object({ type: v.literal('delta'), text: v.string(), tokens: v.optional(v.array(count)) }),
  /** With `follow`: a drafted step that is verified now; the verdicts name it by its index. */
  DraftedStep,
  Verdict,
  Commit,
  v.object({ type: v.literal('done'), ...work }),
  /** With `follow`: after the commit of each cycle, what that took. */
  v.object({ type: v.literal('cycle'), ...work }),
  ErrorEvent,
])
export type VerifyEvent = v.InferOutput<typeof VerifyEvent>
