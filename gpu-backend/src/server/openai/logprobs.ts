import type { TokenLogprob } from '../../engine/logits.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'

/** A token by itself; bytes that are not whole characters show as U+FFFD. */
const spell = (tokenizer: Tokenizer, token: number): string => new TextDecoder().decode(tokenizer.decodeToken(token))

/** As chat completions show them. */
export function chatLogprobs(tokenizer: Tokenizer, tokens: readonly TokenLogprob[]) {
  const entry = ({ token, logprob }: { token: number; logprob: number }) => ({
    token: spell(tokenizer, token),
    logprob: finite(logprob),
    bytes: [...tokenizer.decodeToken(token)],
  })
  return { content: tokens.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })), refusal: null }
}

/** Nothing stands before the first token of a prompt that could make it likely. */
export type FirstToken = Pick<TokenLogprob, 'token'>

/**
 * As completions show them.
 * @param offset where the first of the tokens begins, counted in the characters of the tokens one by one
 * @param most likeliest tokens beside each
 */
export function completionLogprobs(
  tokenizer: Tokenizer,
  tokens: readonly (TokenLogprob | FirstToken)[],
  { offset, most }: { offset: number; most: number },
) {
  const spelled = tokens.map(({ token }) => spell(tokenizer, token))
  let at = offset
  return {
    tokens: spelled,
    token_logprobs: tokens.map((shown) => ('logprob' in shown ? finite(shown.logprob) : null)),
    // The token itself is always among them, as in vLLM.
    top_logprobs: tokens.map((shown) => {
      if (!('top' in shown)) return null
      const entries = [...shown.top.slice(0, most), shown]
      return Object.fromEntries(entries.map(({ token, logprob }) => [spell(tokenizer, token), finite(logprob)]))
    }),
    text_offset: spelled.map((text) => (at += text.length) - text.length),
  }
}

/**
 * Of a prompt, as vLLM shows them: by token id, the token itself and the likeliest in its place.
 * @param tokens all but the first
 * @param most likeliest tokens beside each
 */
export function promptLogprobs(tokenizer: Tokenizer, tokens: readonly TokenLogprob[], most: number) {
  const shown = tokens.map(({ top, ...self }) => {
    const likeliest = top.slice(0, most).map((entry, i) => ({ ...entry, rank: i + 1 }))
    const entries = [...likeliest, self].map(({ token, logprob, rank }) => [
      token,
      { logprob: finite(logprob), rank, decoded_token: spell(tokenizer, token) },
    ])
    return Object.fromEntries(entries) as Record<string, PromptLogprob>
  })
  return [null, ...shown]
}

interface PromptLogprob {
  logprob: number
  rank: number
  decoded_token: string
}

/** JSON has no infinity: vLLM's number for what cannot be. */
const finite = (logprob: number): number => Math.max(logprob, -9999)
