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

/**
 * As completions show them.
 * @param offset where the first of the tokens begins, counted in the characters of the tokens one by one
 */
export function completionLogprobs(tokenizer: Tokenizer, tokens: readonly TokenLogprob[], offset: number) {
  const spelled = tokens.map(({ token }) => spell(tokenizer, token))
  let at = offset
  return {
    tokens: spelled,
    token_logprobs: tokens.map(({ logprob }) => finite(logprob)),
    // The token itself is always among them, as in vLLM.
    top_logprobs: tokens.map(({ top, ...self }) =>
      Object.fromEntries([...top, self].map(({ token, logprob }) => [spell(tokenizer, token), finite(logprob)])),
    ),
    text_offset: spelled.map((text) => (at += text.length) - text.length),
  }
}

/** JSON has no infinity: vLLM's number for what cannot be. */
const finite = (logprob: number): number => Math.max(logprob, -9999)
