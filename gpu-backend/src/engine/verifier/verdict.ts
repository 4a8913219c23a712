import { tagsIn } from '@lookahead/sdk/protocol'
import type { Verdict } from '@lookahead/sdk/protocol'
import type { DraftStep, StepWriter } from '../text/step.ts'

export type Ruling = Pick<Verdict, 'accepted' | 'reason'>

const accepted = (reason: Ruling['reason']): Ruling => ({ accepted: true, reason })
const rejected = (reason: Ruling['reason']): Ruling => ({ accepted: false, reason })

/** Steps that compute the same name the same numbers, in whatever words and however often. */
function sameNumbers(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => new Set(text.match(/\d+/g))) as [Set<string>, Set<string>]
  return x.size === y.size && [...x].every((number) => y.has(number))
}

/** The last number of a text that goes on after it: what may still grow is no number yet. */
const lastNumber = (text: string): string | undefined => /(\d+)\D+$/.exec(text.slice(-24))?.[1]

/** A step that begins or ends the thinking never means the same as one that goes on. */
const sameTags = (a: string, b: string): boolean => tagsIn(a).join() === tagsIn(b).join()

/** Ignores case and white space, as the paper's code does. */
const normalize = (text: string): string => text.replace(/\s+/g, '').toLowerCase()

/** Why no judge is to be asked whether a drafted step means the same as the target's. */
export type Refusal = 'unlikely' | 'no_judge'

/** The `exact` verifier: token for token, so it can reject as soon as one token differs. */
export function ruleExactly(draft: DraftStep, target: StepWriter): Ruling | undefined {
  if (target.tokens.some((token, i) => token !== draft.tokens[i])) return rejected('exact')
  if (target.tokens.length === draft.tokens.length) return accepted('exact')
  return target.end ? rejected('exact') : undefined
}

/**
 * All that can be ruled without asking a judge; undefined: the target's step is unfinished, or a judge must be asked.
 * @param refusal the draft cannot be accepted unless the target's step has the same text, so it is rejected once that differs
 */
export function ruleWithoutJudge(draft: DraftStep, target: StepWriter, refusal?: Refusal): Ruling | undefined {
  const exactly = ruleExactly(draft, target)
  if (exactly?.accepted) return exactly
  if (!target.end) {
    const number = lastNumber(target.text)
    if (number !== undefined && !draft.text.includes(number)) return rejected('numbers')
    const differs = refusal && draft.end === 'delimiter' && !normalize(draft.text).startsWith(normalize(target.text))
    return differs ? rejected(refusal) : undefined
  }
  if (draft.end === 'cap' || target.end === 'cap' || target.end === 'length') return rejected('half_step')
  if (normalize(draft.text) === normalize(target.text) && draft.end === target.end) return accepted('exact')
  if (draft.end === 'text' || target.end === 'text') return rejected('end')
  if (!sameTags(draft.text, target.text)) return rejected('end')
  if (!sameNumbers(draft.text, target.text)) return rejected('numbers')
  return refusal && rejected(refusal)
}

export const judged = (aligned: boolean): Ruling => (aligned ? accepted('judge') : rejected('judge'))
export const unjudged: Ruling = rejected('judge_failed')
