/** How a text is cut into steps, the units that are drafted, compared and committed. */
import * as v from 'valibot'
import type { Channel } from './channels.ts'

const settings = {
  delimiters: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))), v.maxLength(16)),
  sentences: v.boolean(),
  max_tokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  half_steps: v.picklist(['reject', 'verify']),
}

/** What is said of one part of a text goes before what is said of both. */
const ofOnePart = v.exactOptional(
  v.strictObject({
    /** Texts that end a step there, up to 16 of 1 to 64 characters each. Default: those of the whole text. */
    delimiters: v.exactOptional(settings.delimiters),
    /** Whether a sentence ends a step there. Default: as in the whole text. */
    sentences: v.exactOptional(settings.sentences),
    /** The step cap there, in tokens, 1 to 1000. Default: that of the whole text. */
    max_tokens: v.exactOptional(settings.max_tokens),
    /** What becomes there of drafted steps that a cap cut: `reject` or `verify`. Default: as in the whole text. */
    half_steps: v.exactOptional(settings.half_steps),
  }),
)

export const StepRules = v.strictObject({
  /** A step ends with any of these texts, also where several tokens make it up; up to 16. Default: `"\n\n"`. */
  delimiters: v.optional(settings.delimiters, ['\n\n']),
  /**
   * A step ends with a sentence too. A number's dot may be a decimal's: then the step has also the token that shows it is not.
   * Default false.
   */
  sentences: v.optional(settings.sentences, false),
  /** The step cap: a step is cut after so many tokens, 1 to 1000. Default 100, as in the paper's code. */
  max_tokens: v.optional(settings.max_tokens, 100),
  /**
   * What becomes of drafted steps where the cap cut them or the target's own: `reject`, unless the two are the same, for half a
   * step means something else; `verify`, like whole ones. Default `reject`, as in the paper's code.
   */
  half_steps: v.optional(settings.half_steps, 'reject'),
  /** What is otherwise for steps that begin in the reasoning. */
  reasoning: ofOnePart,
  /** What is otherwise for steps that begin in the answer. */
  answer: ofOnePart,
})
export type StepRules = v.InferOutput<typeof StepRules>
export type StepRulesInput = v.InferInput<typeof StepRules>

/** The rules of steps that begin in one part of a text. */
export type PartRules = Required<Omit<StepRules, Channel>>

export const rulesIn = ({ reasoning, answer, ...both }: StepRules, channel: Channel): PartRules => ({
  ...both,
  ...(channel === 'reasoning' ? reasoning : answer),
})

/** Tokens that a step may have, wherever it begins. */
export const longestStep = (rules: StepRules): number =>
  Math.max(rulesIn(rules, 'reasoning').max_tokens, rulesIn(rules, 'answer').max_tokens)
