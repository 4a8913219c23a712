/** What the target would draw in the place of each drafted token: one call for all steps, of an engine that scores given text. */
import type { Sampling } from '@lookahead/sdk/protocol'
import type { TokenDistribution } from '../../lookahead/verifiers/index.ts'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { silent } from './failure.ts'
import { PROBE_MS, lacks, once } from './capabilities.ts'
import type { Capabilities } from './probe.ts'
import type { Server } from './server.ts'
import { Generated, PromptLogprobs } from './wire.ts'

/** The likeliest tokens of a place that are told: vLLM's `--max-logprobs`. */
const TOP = 20

interface Candidate {
  token: number
  logprob: number
}

/** How it is asked: `prompt_logprobs` of vLLM and our own, or `POST /generate` of SGLang. */
type Way = (server: Server, ids: readonly number[], from: number, signal: AbortSignal) => Promise<Candidate[][]>

const ways: readonly Way[] = [byCompletion, byGenerate]

/**
 * @param from the place of the first token that is wanted
 * @returns for each of `ids` from there on; the rest of the vocabulary beyond the likeliest 20 counts as nothing
 * @throws {UpstreamError} `no_scores`; the signal's reason
 */
export async function distributions(
  server: Server,
  can: Capabilities,
  { ids, from, sampling }: { ids: readonly number[]; from: number; sampling: Sampling },
  signal: AbortSignal,
): Promise<TokenDistribution[]> {
  const way = await wayTo(server, can)
  if (!way) throw noScores(server)
  return (await way(server, ids, from, signal)).map((candidates) => drawnFrom(candidates, sampling))
}

/** Whether it can be asked that: found out once, with a few tokens of its own. @throws {UpstreamError} */
export const canScore = async (server: Server, can: Capabilities): Promise<boolean> =>
  (await wayTo(server, can)) !== undefined

const wayTo = (server: Server, can: Capabilities): Promise<Way | undefined> =>
  once(`${server.key} scores`, () => wayOf(server, can))

async function wayOf(server: Server, { ids, sample }: Capabilities): Promise<Way | undefined> {
  const signal = AbortSignal.timeout(PROBE_MS)
  for (const way of ids && sample ? ways : [])
    try {
      await way(server, sample!, 1, signal)
      return way
    } catch (error) {
      if (signal.aborted) throw silent(server.role)
      const isUnknown = error instanceof UpstreamError && (error.code === 'bad_answer' || (error.status ?? 500) < 429)
      if (!isUnknown) throw error
    }
  lacks(server, 'likelihood')
  return undefined
}

export function noScores(server: Server): UpstreamError {
  lacks(server, 'likelihood')
  return new UpstreamError(
    'invalid_request',
    `the verifier needs a ${server.role} that scores given tokens (prompt_logprobs, or POST /generate) and tells their ids: ask for another lookahead.verifier`,
  )
}

async function byCompletion(
  server: Server,
  ids: readonly number[],
  from: number,
  signal: AbortSignal,
): Promise<Candidate[][]> {
  const body = { prompt: ids, max_tokens: 1, temperature: 0, prompt_logprobs: TOP, ...server.salted }
  const { choices } = await server.ask('/completions', body, PromptLogprobs, signal)
  const places = choices[0].prompt_logprobs.slice(from).map((place) =>
    Object.entries(place ?? {}).map(([token, { logprob }]) => ({
      token: Number(token),
      logprob: logprob ?? -Infinity,
    })),
  )
  return complete(server, places, ids.length - from)
}

async function byGenerate(
  server: Server,
  ids: readonly number[],
  from: number,
  signal: AbortSignal,
): Promise<Candidate[][]> {
  const body = {
    input_ids: ids,
    sampling_params: { max_new_tokens: 1, temperature: 0 },
    return_logprob: true,
    // The first that is told has null: it is the one before.
    logprob_start_len: from - 1,
    top_logprobs_num: TOP,
    // SGLang makes this of `cache_salt` where that is a field.
    extra_key: server.salted.cache_salt,
  }
  const { meta_info } = await server.ask('root:/generate', body, Generated, signal)
  const wanted = ids.length - from
  const own = meta_info.input_token_logprobs.slice(-wanted)
  const top = meta_info.input_top_logprobs.slice(-wanted)
  const places = own.map((token, i) =>
    [...(top[i] ?? []), token].map(([logprob, id]) => ({ token: id, logprob: logprob ?? -Infinity })),
  )
  return complete(server, places, wanted)
}

function complete(server: Server, places: Candidate[][], wanted: number): Candidate[][] {
  if (places.length === wanted && places.every((place) => place.length > 0)) return places
  throw new UpstreamError('bad_answer', `the ${server.role} does not score every token`)
}

/** Log probabilities are the model's own: temperature and what cuts the tail off are put to them here, in vLLM's order. */
export function drawnFrom(candidates: readonly Candidate[], sampling: Sampling): TokenDistribution {
  const { temperature = 1, top_k: k = 0, top_p: p = 1, min_p: min = 0 } = sampling
  const unique = new Map(candidates.map(({ token, logprob }) => [token, logprob]))
  const sorted = [...unique].toSorted(([, a], [, b]) => b - a)
  if (temperature === 0) return { tokens: [sorted[0]![0]], probabilities: [1] }
  const likeliest = sorted[0]![1]
  const weights = normalized(sorted.map(([, logprob]) => Math.exp((logprob - likeliest) / temperature)))
  const kept = normalized(weights.filter((weight, i) => weight >= min * weights[0]! && (k === 0 || i < k)))
  let sum = 0
  const last = kept.findIndex((weight) => (sum += weight) >= p)
  const probabilities = normalized(last < 0 ? kept : kept.slice(0, last + 1))
  return { tokens: sorted.slice(0, probabilities.length).map(([token]) => token), probabilities }
}

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
