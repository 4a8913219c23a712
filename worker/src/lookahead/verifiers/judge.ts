import { tagsIn } from '@lookahead/sdk/protocol'
import { ruleExactly } from './exact.ts'
import { accepted, rejected } from './verifier.ts'
import type { Pair, Ruling, Verifier } from './verifier.ts'

/** Asks a model. @returns for each pair, whether its steps mean and compute the same; @throws the signal's reason, among others */
export type AskJudge = (pairs: readonly { target: string; draft: string }[], signal: AbortSignal) => Promise<boolean[]>

export interface JudgeOptions {
  /** Undefined: there is no judge, and only steps equal to the target's own are accepted. */
  ask: AskJudge | undefined
  /** See `Verifier.leastLogprob`: no judge is asked about a step that the target finds unlikely. */
  leastLogprob: number
}

/** The same meaning: what is plain to see is ruled by rules, and a model judges the rest. */
export function judge({ ask, leastLogprob }: JudgeOptions): Verifier {
  const rule = (pair: Pair): Ruling | undefined =>
    ruleWithoutJudge(pair, ask === undefined ? 'no_judge' : pair.draft.unlikely ? 'unlikely' : undefined)
  if (!ask) return { name: 'judge', rule }
  return {
    name: 'judge',
    leastLogprob,
    rule,
    ask: async (pairs, signal) => {
      const texts = pairs.map(({ target, draft }) => ({ target: target.text, draft: draft.text }))
      return (await ask(texts, signal)).map((aligned) => (aligned ? accepted('judge') : rejected('judge')))
    },
  }
}

/**
 * All that can be ruled without asking a judge; undefined: the target's step is unfinished, or a judge must be asked.
 * @param refusal why none is to be asked: the draft is then rejected once the target's text differs
 */
export function ruleWithoutJudge(pair: Pair, refusal?: 'unlikely' | 'no_judge'): Ruling | undefined {
  const { draft, target } = pair
  const exactly = ruleExactly(pair)
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
  if (!sameNames(draft.text, target.text)) return rejected('names')
  return refusal && rejected(refusal)
}

/** Steps that compute the same name the same numbers, in whatever words and however often. */
function sameNumbers(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => new Set(text.match(/\d+/g))) as [Set<string>, Set<string>]
  return x.size === y.size && [...x].every((number) => y.has(number))
}

/**
 * Steps about the same people and places name the same. A name is a word with a capital that begins no sentence: in the other
 * step it may begin one.
 */
const sameNames = (a: string, b: string): boolean => has(b, namesIn(a)) && has(a, namesIn(b))
const namesIn = (text: string): string[] => text.match(/(?<=[\p{L}\p{N},;:)] )\p{Lu}\p{L}+/gu) ?? []
const has = (text: string, names: readonly string[]): boolean => {
  const words = new Set(text.match(/\p{L}+/gu))
  return names.every((name) => words.has(name))
}

/** The last number of a text that goes on after it: what may still grow is no number yet. */
const lastNumber = (text: string): string | undefined => /(\d+)\D+$/.exec(text.slice(-24))?.[1]

/** A step that begins or ends the thinking never means the same as one that goes on. */
const sameTags = (a: string, b: string): boolean => tagsIn(a).join() === tagsIn(b).join()

/** Ignores case and white space, as the paper's code does. */
const normalize = (text: string): string => text.replace(/\s+/g, '').toLowerCase()
