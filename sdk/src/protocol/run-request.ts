/** What apps ask of the worker: the body of `POST /v1/runs`. Apart from the events, since clients ship only those. */
import * as v from 'valibot'
import { Mode } from './mode.ts'
import { MAX_WIDTH } from './width.ts'
import { DEFAULT_MAX_TOKENS, Sampling, promptEntries, stopEntries } from './sampling.ts'
import { StepRules } from './steps.ts'
import { tokenGuesses } from './token-guesses.ts'
import { Threshold } from './threshold.ts'
import { Verifier } from './verifier.ts'

export const RunRequest = v.pipe(
  v.strictObject({
    ...promptEntries,
    /** How tokens are drawn. Default: as the model's own `generation_config.json` says. */
    sampling: v.optional(Sampling, {}),
    /** Output tokens at most. Default 1024. */
    max_tokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), DEFAULT_MAX_TOKENS),
    ...stopEntries,
    /** Keeps the run's events: it goes on when nobody listens, and can be read again and cancelled by its id. Default false. */
    store: v.optional(v.boolean(), false),
    /** How, and how far, to look ahead. */
    lookahead: v.optional(
      v.strictObject({
        /** Default `auto`: steps and tokens, as far ahead as it pays; `lr+sd`, `lr`, `sd`, `ar`: see `Mode`. */
        mode: v.optional(Mode, 'auto'),
        /** Steps drafted ahead at most (γ1), 1 to 16. Default 8. */
        depth: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)), 8),
        /** Alternatives drafted for each of them, 1 to 8; the first that is accepted is kept. Default 1. */
        width: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_WIDTH)), 1),
        /**
         * Drafts fewer steps, or none for a while, where measured acceptance and cost say so. Default: in mode `auto`. Which
         * drafted steps a text takes then depends on timing: with a verifier other than `exact` a seed does not bring it back.
         */
        adaptive: v.optional(v.boolean()),
        /** Cycles follow one another at the engine, where it can, instead of waiting for each other here. Default true. */
        pipelined: v.optional(v.boolean(), true),
        /** With `pipelined`: whether steps are drafted while others are verified. Default: as the engine finds best. */
        overlap: v.optional(v.boolean()),
        /**
         * Who says whether a drafted step stands; see `Verifier`. Default: `likelihood`; of an engine that cannot score given tokens, `judge`
         * where there is one, else `exact`. `run.started` says which.
         */
        verifier: v.optional(Verifier),
        /** How strict the verifier is, where it takes a threshold: `likelihood`, `embedding`. Default: its own. */
        threshold: v.optional(Threshold),
        /** How the text is cut into steps. Default: after `"\n\n"`, or 100 tokens. */
        steps: v.optional(StepRules),
        /** Tokens guessed per forward of the target at most (γ2), by who guesses them, in the modes that guess any. */
        tokens: v.optional(
          v.strictObject({
            /** Whether the tokens of drafted steps are taken as guesses. Default true. */
            drafted: v.exactOptional(tokenGuesses.drafted),
            /** Tokens guessed by n-gram of the text so far, 0 (off) to 32. Default 8. */
            ngram: v.exactOptional(tokenGuesses.ngram),
            /** Tokens guessed by the draft model, 0 (off) to 16. Default 16. */
            draft: v.exactOptional(tokenGuesses.draft),
          }),
          {},
        ),
        /**
         * Whether the target draws tokens with the noise that the draft drew them with, so that more steps come out the same; its
         * distribution is the same either way. Default: with a seed, and where no tokens are guessed. Where false, a seed alone no
         * longer decides what the text is.
         */
        coupled: v.optional(v.boolean()),
      }),
      {},
    ),
  }),
  v.check(
    (run) => (run.messages === undefined) !== (run.prompt === undefined),
    'give exactly one of messages or prompt',
  ),
)
export type RunRequest = v.InferOutput<typeof RunRequest>

type Request = v.InferInput<typeof RunRequest>
type Prompt<Given extends keyof Request, Other extends keyof Request> = Required<Pick<Request, Given>> & {
  [name in Other]?: undefined
}
/** What is asked: `messages` or a `prompt`, exactly one of them. */
export type RunRequestInput = Omit<Request, 'messages' | 'prompt'> &
  (Prompt<'messages', 'prompt'> | Prompt<'prompt', 'messages'>)
