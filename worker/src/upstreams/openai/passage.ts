/** A stretch of text as an engine knows it: its words, and its tokens where they are known. */
export interface Passage {
  readonly text: string
  /** Token ids; undefined where the engine did not tell them, or they are another vocabulary's. */
  readonly ids: readonly number[] | undefined
  /** How many tokens, or as good as can be counted. */
  readonly tokens: number
  /** How many of them are thinking, its tags included. Default: none. */
  readonly thinking?: number
}

export const EMPTY: Passage = { text: '', ids: [], tokens: 0 }

/** One after another. The ids of the whole are known where those of all parts are. */
export function joined(...parts: readonly Passage[]): Passage {
  return {
    text: parts.map(({ text }) => text).join(''),
    ids: parts.every(({ ids }) => ids) ? parts.flatMap(({ ids }) => ids ?? []) : undefined,
    tokens: parts.reduce((sum, { tokens }) => sum + tokens, 0),
    thinking: parts.reduce((sum, { thinking = 0 }) => sum + thinking, 0),
  }
}

export const withoutIds = ({ text, tokens }: Passage): Passage => ({ text, ids: undefined, tokens })

/** What an engine is given to go on with: the ids where they are known, since text that is tokenized anew may become other tokens. */
export const promptOf = ({ text, ids }: Passage): string | number[] => (ids ? [...ids] : text)
