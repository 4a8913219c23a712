/** Finds the answer that a text ends with. */

const SAID = /(?:final answer|answer)\s*(?:is|:|=)\s*(?:\*\*)?\s*(\S[^\n]*?)(?:\*\*)?\s*(?:\.\s*)?$/gim

/**
 * What stands in the last `\boxed{…}` of a text; without one, what follows the last `####` (GSM8K), else the last "answer is" to
 * the end of its line. `undefined` where nothing was answered: the last number of a text is not taken for an answer.
 */
export function extractAnswer(text: string): string | undefined {
  const found = lastBoxed(text) ?? last(text, /####\s*(\S[^\n]*)/g) ?? last(text, SAID)
  return found?.trim() || undefined
}

/** Braces inside may nest. One that is never closed was cut off by the token limit, and is no answer. */
function lastBoxed(text: string): string | undefined {
  for (const { index } of [...text.matchAll(/\\f?boxed\s*\{/g)].toReversed()) {
    const start = text.indexOf('{', index)
    const end = closingBrace(text, start)
    if (end !== undefined) return text.slice(start + 1, end)
  }
  return undefined
}

/** Where the brace at `start` is closed. */
export function closingBrace(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return undefined
}

const last = (text: string, form: RegExp): string | undefined => [...text.matchAll(form)].at(-1)?.[1]
