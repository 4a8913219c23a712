import type { TokenLogprob } from '../../engine/sampling/logits.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'

/** A token by itself; bytes that are not whole characters show as U+FFFD. */
const spell = (tokenizer: Tokenizer, token: number): string => new TextDecoder().decode(tokenizer.decodeToken(token))

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A token by itself, and no two alike: as OpenAI's completions spell bytes that are not whole characters, and vLLM ids without text. */
function spellApart(tokenizer: Tokenizer, token: number): string {
  const bytes = tokenizer.decodeToken(token)
  if (bytes.length === 0) return `token_id:${token}`
  try {
    return strict.decode(bytes)
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`
  }
}

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

interface CompletionEntry {
  token: string
  logprob: number | null
  top: Record<string, number> | null
}

/**
 * A token as completions show it.
 * @param most likeliest tokens beside it
 */
export function completionEntry(tokenizer: Tokenizer, shown: TokenLogprob | FirstToken, most: number): CompletionEntry {
  const token = spellApart(tokenizer, shown.token)
  if (!('top' in shown)) return { token, logprob: null, top: null }
  // The token itself is always among them, as in vLLM.
  const likeliest = [...shown.top.slice(0, most), shown]
  const top = Object.fromEntries(likeliest.map((entry) => [spellApart(tokenizer, entry.token), finite(entry.logprob)]))
  return { token, logprob: finite(shown.logprob), top }
}

/**
 * As completions show them.
 * @param offsets of these tokens
 */
export function completionLogprobs(entries: readonly CompletionEntry[], offsets: number[]) {
  return {
    tokens: entries.map(({ token }) => token),
    token_logprobs: entries.map(({ logprob }) => logprob),
    top_logprobs: entries.map(({ top }) => top),
    text_offset: offsets,
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
