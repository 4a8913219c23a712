import type { VerifyRequest } from '@lookahead/sdk/protocol'
import type { Tokenizer } from '../tokenizer/index.ts'
import type { Context } from './contexts.ts'
import type { DraftStep } from './step.ts'

/** The drafted steps of one verification, one after the other. */
export interface DraftedChain {
  steps: readonly DraftStep[]
  /** Of all steps. */
  tokens: readonly number[]
  /** Where in the chain the target's steps begin: one for each drafted step, and one for the step after them, if the text goes on. */
  starts: readonly number[]
}

/** Drafted steps by id, or from their text, as many as `room` tokens hold and as the text has. */
export function draftedChain(
  tokenizer: Tokenizer,
  context: Context,
  request: VerifyRequest,
  room: number,
): DraftedChain {
  const steps: DraftStep[] = []
  const starts = [0]
  for (const { id, text } of request.steps) {
    const step = (id === undefined ? undefined : context.drafts.get(id)) ?? fromText(tokenizer, text)
    const end = starts.at(-1)! + step.tokens.length
    if (step.tokens.length === 0 || end >= room || steps.at(-1)?.end === 'text') break
    steps.push(step)
    starts.push(end)
  }
  if (steps.at(-1)?.end === 'text') starts.pop()
  return { steps, tokens: steps.flatMap((step) => step.tokens), starts }
}

function fromText(tokenizer: Tokenizer, text: string, delimiter = '\n\n'): DraftStep {
  const tokens = tokenizer.encode(text)
  const end = text.endsWith(delimiter) ? 'delimiter' : 'cap'
  return { tokens, text, end, distributions: tokens.map(() => undefined) }
}
