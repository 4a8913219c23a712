import { rejected } from '../verifier.ts'
import type { Verifier } from '../verifier.ts'

/**
 * Other names, other meaning: rejects steps about other people and places. A name is a word with a capital that begins no
 * sentence; in the other step it may begin one. Not true where capitals mean something else, as in code or German.
 */
export const names: Verifier = {
  name: 'names',
  rule: ({ draft, target }) =>
    target.end && !(has(target.text, namesIn(draft.text)) && has(draft.text, namesIn(target.text)))
      ? rejected('names')
      : undefined,
}

const namesIn = (text: string): string[] => text.match(/(?<=[\p{L}\p{N},;:)] )\p{Lu}\p{L}+/gu) ?? []

const has = (text: string, wanted: readonly string[]): boolean => {
  const words = new Set(text.match(/\p{L}+/gu))
  return wanted.every((name) => words.has(name))
}
