/** Any chat model as a judge: one token is asked for, and the probabilities of its yes and no are compared. */
import type { AskJudge, Comparison } from '../../lookahead/verifiers/index.ts'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { lacks, once } from './capabilities.ts'
import type { Server } from './server.ts'
import { Answer } from './wire.ts'

const QUESTION =
  'Below are a problem, the beginning of its solution, and two versions, s1 and s2, of the next step. Do both versions mean ' +
  'the same: the same statements, the same calculations, the same results? The wording does not count. Answer with one word: ' +
  'yes, or no if they differ or if you are not sure.'

/** Characters of what stands before a step that a judge is shown: hosted judges cut what is long without a word. */
const BEFORE = 1_000

/** Without thinking, in the templates of Qwen3 and others; cloud APIs refuse the field. */
const UNTHINKING = { chat_template_kwargs: { enable_thinking: false } }

/** The most that OpenAI, vLLM and SGLang tell. */
const TOP = 20

/** What a server is asked with. */
type Dialect = 'extended' | 'plain' | 'words'

/** From the most that is asked for to the least: text alone, of a server that tells no log probabilities. */
const dialects: readonly Dialect[] = ['extended', 'plain', 'words']

export const askJudge =
  (server: Server): AskJudge =>
  (pairs, signal) =>
    Promise.all(pairs.map((pair) => sameness(server, pair, signal)))

/** Whether both mean the same; of a server that tells log probabilities, how probable that is. */
type Sameness = boolean | number

async function sameness(server: Server, pair: Comparison, signal: AbortSignal): Promise<Sameness> {
  const dialect = await once(`${server.key} judges`, () => dialectOf(server, pair, signal))
  const said = await ask(server, pair, dialect, signal)
  if (said === undefined) throw new UpstreamError('bad_answer', 'the judge says neither yes nor no')
  return said
}

/** The first in which the server answers. */
async function dialectOf(server: Server, pair: Comparison, signal: AbortSignal): Promise<Dialect> {
  let refused: unknown
  for (const dialect of dialects)
    try {
      if ((await ask(server, pair, dialect, signal)) === undefined) continue
      if (dialect === 'words') lacks(server, 'log_probabilities')
      return dialect
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof UpstreamError) || ![400, 422].includes(error.status ?? 0)) throw error
      refused = error
    }
  throw refused ?? new UpstreamError('bad_answer', 'the judge says neither yes nor no')
}

/** Undefined: it says neither. */
async function ask(
  server: Server,
  pair: Comparison,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<Sameness | undefined> {
  const body = {
    messages: [{ role: 'user', content: question(pair) }],
    max_tokens: dialect === 'words' ? 4 : 1,
    temperature: 0,
    ...(dialect !== 'words' && { logprobs: true, top_logprobs: TOP }),
    ...(dialect === 'extended' && { ...UNTHINKING, ...server.salted }),
  }
  const { choices } = await server.ask('/chat/completions', body, Answer, signal)
  const [{ message, logprobs }] = choices
  if (dialect === 'words') return wordOf(message.content ?? '')
  return probabilityOf(logprobs?.content?.[0]?.top_logprobs ?? [])
}

/** Of yes, where it is one of the two. */
function probabilityOf(top: readonly { token: string; logprob: number }[]): number | undefined {
  const sums = { yes: 0, no: 0 }
  for (const { token, logprob } of top) {
    const says = wordOf(token)
    if (says !== undefined) sums[says ? 'yes' : 'no'] += Math.exp(logprob)
  }
  const sum = sums.yes + sums.no
  return sum > 0 ? sums.yes / sum : undefined
}

function wordOf(text: string): boolean | undefined {
  const word = /^\W*(yes|no)\b/i.exec(text)?.[1]?.toLowerCase()
  return word === undefined ? undefined : word === 'yes'
}

function question({ target, draft, context }: Comparison): string {
  const place = context
    ? `The problem:\n${context.question.trim()}\n\nThe beginning:\n${context.before.slice(-BEFORE).trim()}\n\n`
    : ''
  return `${QUESTION}\n\n${place}s1:\n${target.trim()}\n\ns2:\n${draft.trim()}`
}
