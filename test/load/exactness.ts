/** Whether an answer under load is the one that the backend gives alone. */
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import type { Answer } from './client.ts'
import type { LoadRequest } from './requests.ts'

export interface Mismatch {
  request: LoadRequest
  alone: Answer
  underLoad: Answer
}

/** Forwards of other shapes round otherwise: logits closer than this may change places. */
const NEAR_TIE = 1e-4

export const areEqual = (a: Answer, b: Answer): boolean =>
  a.text === b.text && a.finishReason === b.finishReason && a.tokens.join() === b.tokens.join()

/** A mismatch judged, on a backend that does nothing else. */
export interface Judged {
  isNearTie: boolean
  description: string
}

/** A near-tie is forgiven: where the two part, the token that came under load is within 1e-4 of the likeliest one. */
export async function judge(baseURL: string, { request, alone, underLoad }: Mismatch): Promise<Judged> {
  const at = alone.tokens.findIndex((token, i) => token !== underLoad.tokens[i])
  const what = `${request.kind}, max_tokens ${request.maxTokens}, prompt ${JSON.stringify(request.prompt)}`
  const [token, instead] = [alone.tokens[at], underLoad.tokens[at]]
  if (token === undefined || instead === undefined) {
    const show = ({ tokens, text, finishReason }: Answer) =>
      `${tokens.length} tokens, ${finishReason}, …${JSON.stringify(text.slice(-80))}`
    return { isNearTie: false, description: `${what}: alone ${show(alone)}; under load ${show(underLoad)}` }
  }
  const where = `${what}: token ${at} is ${token} alone and ${instead} under load`
  try {
    const probe = new Probe(baseURL)
    const prefix = [...(await probe.tokenize(request)), ...alone.tokens.slice(0, at)]
    const gap = (await probe.logprob(prefix, token)) - (await probe.logprob(prefix, instead))
    const isNearTie = Math.abs(gap) < NEAR_TIE
    return { isNearTie, description: `${where}; their logits are ${gap.toExponential(1)} apart` }
  } catch (error) {
    return { isNearTie: false, description: `${where}; their logits could not be asked for: ${String(error)}` }
  }
}

const Tokens = v.object({ tokens: v.array(v.number()) })
const Spelled = v.object({ prompt: v.string() })
const Logprobs = v.object({
  choices: v.tuple([v.object({ logprobs: v.object({ top_logprobs: v.tuple([dictionary(v.number())]) }) })]),
})

/** Questions about single tokens. */
class Probe {
  readonly #baseURL: string

  constructor(baseURL: string) {
    this.#baseURL = baseURL
  }

  async tokenize({ kind, prompt }: LoadRequest): Promise<number[]> {
    const text = kind.startsWith('completions') ? { prompt } : { messages: [{ role: 'user', content: prompt }] }
    return v.parse(Tokens, await this.#post('/tokenize', text)).tokens
  }

  /** Log probability of a token after `prompt`; minus infinity when it is none of the 20 likeliest. */
  async logprob(prompt: number[], token: number): Promise<number> {
    const { prompt: spelled } = v.parse(Spelled, await this.#post('/detokenize', { tokens: [token] }))
    const asked = { prompt, max_tokens: 1, temperature: 0, logprobs: 20 }
    const [choice] = v.parse(Logprobs, await this.#post('/v1/completions', asked)).choices
    return choice.logprobs.top_logprobs[0].get(spelled) ?? -Infinity
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(this.#baseURL + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`)
    return await response.json()
  }
}
