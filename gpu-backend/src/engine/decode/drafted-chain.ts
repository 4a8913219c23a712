import { channelsThrough } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import { giveTurn, needsTurn } from '../../model/pace.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'
import type { Context } from '../contexts.ts'
import type { ModelRunner } from '../model-runner.ts'
import { MOST_DRAFTED } from '../speculation/index.ts'
import { channelOf, isWholeStep, longestStep } from '../text/step.ts'
import type { DraftStep } from '../text/step.ts'
import { furtherAlternatives } from './alternatives.ts'
import type { FittedStep } from './alternatives.ts'
import type { VerifyRequest } from './requests.ts'

/** The drafted steps of one verification, one after the other. */
export interface DraftedChain {
  steps: readonly DraftStep[]
  /**
   * Truncated step, for all of which there is no room: guessed, never judged. Leaving it out would bias sampling, since then
   * only steps that happen to be short would be guesses.
   */
  rest: DraftStep | undefined
  /** For each step the further alternatives for its place. */
  others: readonly (readonly FittedStep[])[]
  /** Of all steps, and of the rest. */
  tokens: readonly number[]
  /** Where in the chain the target's steps begin: one for each drafted step, and one for the step after them, if the text goes on. */
  starts: readonly number[]
  /** Tokens that the target's steps can have, all together, guesses included. */
  most: number
}

/** The drafted steps that a request names, by id or by their text. */
export async function namedSteps(
  { model: { tokenizer } }: ModelRunner,
  context: Context,
  request: VerifyRequest,
  signal: AbortSignal,
): Promise<DraftStep[]> {
  const known = (id: string | undefined) => context.drafts.find(id ?? '')
  const found = request.steps.map((step) => [step, ...step.alternatives].map(({ id }) => known(id)))
  const steps: DraftStep[] = []
  let after = context.channelState(tokenizer)
  for (const [i, step] of request.steps.entries()) {
    const all: DraftStep[] = []
    for (const [n, { text }] of [step, ...step.alternatives].entries()) {
      all.push(found[i]![n] ?? (await fromText(tokenizer, text, request, after, signal)))
      if (needsTurn()) await giveTurn()
    }
    const [first, ...alternatives] = all
    steps.push({ ...first!, alternatives })
    after = channelsThrough(after, first!.text)
  }
  return steps
}

/**
 * As many of these steps as `room` tokens and the slots hold and as the text has.
 * @param goesOn more steps are drafted: the target writes none after them
 */
export function draftedChain(
  { kv: { pool } }: ModelRunner,
  context: Context,
  request: VerifyRequest,
  { drafted, goesOn, room }: { drafted: readonly DraftStep[]; goesOn: boolean; room: number },
): DraftedChain {
  const { decode, stepRules, speculation } = request
  const cap = longestStep(stepRules)
  const guesses = Math.max(speculation.ngram, speculation.draft, MOST_DRAFTED)
  const longest = (start: number, most: number): number => Math.min(most + guesses, room - start)
  const last = (start: number): number => longest(start, decode === 'end' ? Infinity : decode * cap)
  const steps: DraftStep[] = []
  const starts = [0]
  let rest: DraftStep | undefined
  let most = 0
  for (const step of drafted) {
    const start = starts.at(-1)!
    const end = start + step.tokens.length
    const own = longest(start, cap)
    if (step.tokens.length === 0 || steps.at(-1)?.end === 'text') break
    const slots = pool.size - context.tokens.length - most
    if (end >= room || end + own + last(end) > slots) {
      if (speculation.drafted) rest = cut(step, Math.min(room - 1, slots - last(start)) - start)
      break
    }
    steps.push(step)
    starts.push(end)
    most += own
  }
  most += last(starts.at(-1)!)
  if (steps.at(-1)?.end === 'text' || (goesOn && steps.length > 0 && steps.length === drafted.length)) starts.pop()
  const tokens = [...steps, ...(rest ? [rest] : [])].flatMap((step) => step.tokens)
  const others = steps.map((step, i) => {
    const left = { each: room - 1 - starts[i]!, all: pool.size - context.tokens.length - tokens.length - most }
    const further = furtherAlternatives(step, left, speculation.drafted ? cut : undefined)
    most += further.reduce((sum, other) => sum + other.step.tokens.length, 0)
    return further
  })
  return { steps, rest, others, tokens, starts, most }
}

function cut({ id, tokens, text, distributions }: DraftStep, length: number): DraftStep | undefined {
  if (length <= 0) return undefined
  return { id, tokens: tokens.slice(0, length), text, end: 'cap', distributions: distributions.slice(0, length) }
}

/** A text far too long for a step gives none of its tokens. */
async function fromText(
  tokenizer: Tokenizer,
  text: string,
  { stepRules }: VerifyRequest,
  after: ChannelState,
  signal: AbortSignal,
): Promise<DraftStep> {
  const rules = stepRules[channelOf(text, after)]
  const isTooLong = text.length > tokenizer.mostCharacters(rules.maxTokens)
  const tokens = isTooLong ? [] : await tokenizer.encodeAsync(text, { continuing: true }, signal)
  const end = isWholeStep(text, rules) ? 'delimiter' : 'cap'
  return { id: '', tokens, text, end, distributions: tokens.map(() => undefined) }
}
