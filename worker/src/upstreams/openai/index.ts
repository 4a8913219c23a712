/**
 * Engines that speak OpenAI's API: vLLM, SGLang, llama-server, our own backend's `/v1`, a cloud API. The cycle's work is done
 * here: steps are cut, branches sent in one call, and compared by the shared verifiers. docs/engines.md says what each can do.
 */
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Upstream } from '../../lookahead/upstream.ts'
import { verifiers } from '../../lookahead/verifiers/index.ts'
import type { AskJudge } from '../../lookahead/verifiers/index.ts'
import { askDecisions, askSystemOne } from './decisions.ts'
import { askJudge } from './judge.ts'
import { has, lacks } from './capabilities.ts'
import { askRating } from './rating.ts'
import { Server } from './server.ts'
import type { ConnectionOptions, ServerOptions } from './transport.ts'
import { OpenAISession } from './session.ts'

export interface OpenAIOptions extends ConnectionOptions {
  target: ServerOptions
  /** Default: none, and the target writes alone. */
  draft?: ServerOptions | undefined
  /** Default: none, and only steps equal to the target's own are accepted. */
  judge?: (ServerOptions & { protocol?: JudgeProtocol | undefined; fetch?: typeof fetch | undefined }) | undefined
}

/** How a judge is asked: a chat model for one token (default), or a decision model in one of the two shapes there are. */
const judges = { chat: askJudge, systemone: askSystemOne, decisions: askDecisions }
export type JudgeProtocol = keyof typeof judges
export const judgeProtocols = Object.keys(judges) as JudgeProtocol[]

export function openaiUpstream({ target, draft, judge, ...connection }: OpenAIOptions): Upstream {
  const { fetch = connection.fetch, protocol } = judge ?? {}
  const ask = judge && asking(new Server('judge', judge, { ...connection, fetch }), protocol)
  const writer = new Server('target', target, connection)
  const engines = {
    target: writer,
    draft: draft && new Server('draft', draft, connection),
    // What the target thinks of the steps that it is not asked to score is not known: nothing is unlikely.
    verifiers: verifiers({ ask, leastLogprob: -Infinity, score: askRating(writer) }),
    fallback: ask ? 'judge' : 'exact',
  }
  return { open: (text) => new OpenAISession(engines, text) }
}

/** What it is asked by is not there: a refusal of one question alone says nothing of the next. */
const ABSENT: ReadonlySet<number> = new Set([404, 405, 501])

/** A judge of which it is known whether it can be asked at all. */
function asking(server: Server, protocol: JudgeProtocol = 'chat'): AskJudge {
  const ask = judges[protocol](server)
  return async (pairs, signal) => {
    try {
      const verdicts = await ask(pairs, signal)
      has(server, 'verdicts')
      return verdicts
    } catch (error) {
      if (error instanceof UpstreamError && ABSENT.has(error.status ?? 0)) lacks(server, 'verdicts')
      throw error
    }
  }
}
