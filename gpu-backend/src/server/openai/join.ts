import { ProtocolError } from '@lookahead/sdk/protocol'
import { MAX_LOGPROBS } from './job.ts'
import type { IndexedPiece } from './write-all.ts'

/**
 * Whole texts from their pieces.
 * @param entries log probabilities that the answer has already, those of prompts
 * @throws {ProtocolError} 400 when the answer has come to have too many log probabilities
 */
export async function join(
  pieces: AsyncIterable<IndexedPiece>,
  { count, entries }: { count: number; entries: number },
): Promise<IndexedPiece[]> {
  const texts = Array.from({ length: count }, (_, index): IndexedPiece => {
    return { index, isFirst: true, text: '', tokens: [], logprobs: [], ending: undefined }
  })
  let shown = entries
  for await (const { index, text, tokens, logprobs, promptLogprobs, ending } of pieces) {
    shown += logprobs.reduce((sum, { top }) => sum + 1 + top.length, 0)
    if (shown > MAX_LOGPROBS)
      throw new ProtocolError(
        400,
        'invalid_request',
        `logprobs: the answer has more than ${MAX_LOGPROBS} of them: stream it, or ask for fewer tokens, texts or likeliest tokens`,
        { param: 'logprobs' },
      )
    const whole = texts[index]!
    whole.text += text
    whole.tokens.push(...tokens)
    whole.logprobs.push(...logprobs)
    whole.promptLogprobs ??= promptLogprobs
    whole.ending = ending
  }
  return texts
}
