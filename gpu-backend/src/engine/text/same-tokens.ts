import { ModelError } from '../../checkpoint/index.ts'
import { readTokenizer } from '../../tokenizer/index.ts'

/**
 * A draft reads the target's tokens and guesses them, so every id that both know must be the same token. One may know more
 * than the other: sizes of related models differ by their padding.
 *
 * @throws ModelError `unsupported` naming the first token that differs; or if a tokenizer.json is missing or broken
 */
export async function assertSameTokens(target: string, draft: string): Promise<void> {
  const [ours, theirs] = await Promise.all([readTokens(target), readTokens(draft)])
  for (const [id, token] of theirs) {
    const own = ours.get(id)
    if (own !== undefined && own !== token)
      throw new ModelError(
        'unsupported',
        `${draft} cannot draft for ${target}: its token ${id} is ${JSON.stringify(token)}, not ${JSON.stringify(own)}; ` +
          "choose a draft with the target's tokenizer",
      )
  }
}

/** Tokens by their ids. */
async function readTokens(folder: string): Promise<Map<number, string>> {
  const { model, added_tokens: added } = await readTokenizer(folder)
  const tokens = new Map(Array.from(model.vocab, ([token, id]) => [id, token]))
  for (const { id, content } of added) tokens.set(id, content)
  return tokens
}
