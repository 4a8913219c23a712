/** The target itself rates drafted steps (SpecReason, arXiv 2504.07891): one token a step, all open steps in one call. */
import { SCORE_PREFILL, SCORE_QUESTION } from '../../lookahead/verifiers/index.ts'
import type { AskScore } from '../../lookahead/verifiers/index.ts'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { capabilitiesOf, once } from './capabilities.ts'
import type { Capabilities } from './probe.ts'
import { renderedAt } from './prompt.ts'
import { inCalls } from './server.ts'
import type { Server } from './server.ts'
import { Rated } from './wire.ts'
import type { RatedChoice } from './wire.ts'

/** Likeliest tokens that are asked for, from the most that vLLM tells, and OpenAI, to none: then the token that is written counts. */
const tops = [20, 5, undefined] as const
type Top = (typeof tops)[number]

type StepsToRate = Parameters<AskScore>[0]

export const askRating =
  (server: Server): AskScore =>
  async (steps, signal) => {
    const can = await capabilitiesOf(server)
    const prompts = await Promise.all(steps.map((step) => promptFor(server, can, step, signal)))
    const top = await once(`${server.key} rates`, () => topOf(server, prompts.slice(0, 1), can, signal))
    const ratings = await Promise.all(inCalls(prompts, can).map((some) => rate(server, some, top, can, signal)))
    return ratings.flat().map((rating) => rating ?? 0)
  }

/** The most that the server tells. @throws {UpstreamError} `no_ratings`, where it writes no digit however it is asked */
async function topOf(server: Server, prompts: string[], can: Capabilities, signal: AbortSignal): Promise<Top> {
  for (const top of tops)
    try {
      if ((await rate(server, prompts, top, can, signal)).some((rating) => rating !== undefined)) return top
    } catch (error) {
      signal.throwIfAborted()
      // Some refuse what they cannot tell, some fail at it.
      const isRefused = error instanceof UpstreamError && (error.code === 'bad_answer' || (error.status ?? 0) >= 400)
      if (!isRefused || [401, 403, 429].includes(error.status ?? 0)) throw error
    }
  throw new UpstreamError('no_ratings', `the ${server.role} answers with no digit when it is asked to rate a step`)
}

/** Undefined where there is no digit among what the server might have written. */
async function rate(
  server: Server,
  prompts: readonly string[],
  logprobs: Top,
  { extensions }: Capabilities,
  signal: AbortSignal,
): Promise<(number | undefined)[]> {
  const prompt = prompts.length === 1 ? prompts[0] : prompts
  // The template has put the beginning of text already.
  const body = {
    prompt,
    max_tokens: 1,
    temperature: 0,
    logprobs,
    ...(extensions && { add_special_tokens: false, ...server.salted }),
  }
  const { choices } = await server.ask('/completions', body, Rated, signal)
  return prompts.map((_, i) => {
    const choice = choices.find(({ index }) => index === i)
    if (!choice) throw new UpstreamError('bad_answer', `the ${server.role} did not rate every step`)
    return likeliestDigit(choice)
  })
}

function likeliestDigit({ text, candidates }: RatedChoice): number | undefined {
  const sums = new Map<string, number>()
  for (const { token, logprob } of candidates.length > 0 ? candidates : [{ token: text, logprob: 0 }]) {
    const [digit] = /^\s*\d(?!\d)/.exec(token) ?? []
    if (digit) sums.set(digit.trim(), (sums.get(digit.trim()) ?? 0) + Math.exp(logprob))
  }
  const [likeliest] = [...sums].toSorted(([, a], [, b]) => b - a)
  return likeliest && Number(likeliest[0])
}

async function promptFor(
  server: Server,
  can: Capabilities,
  { draft, context }: StepsToRate[number],
  signal: AbortSignal,
): Promise<string> {
  const { question = '', before = '' } = context ?? {}
  const text = before + draft
  const messages = [
    { role: 'user' as const, content: question },
    { role: 'assistant' as const, content: text },
    { role: 'user' as const, content: SCORE_QUESTION },
  ]
  try {
    return (await renderedAt(server, can, messages, signal)).text + SCORE_PREFILL
  } catch (error) {
    if (!(error instanceof UpstreamError && error.code === 'no_template')) throw error
    return `${question}\n\n${text.trim()}\n\n${SCORE_QUESTION}\n\n${SCORE_PREFILL}`
  }
}
