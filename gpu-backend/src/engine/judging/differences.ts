/** What differs between two texts, found exactly, so that a small model need not compare them letter by letter. */

export interface Differences {
  /** The clauses and lines that the other text does not have, in their order. */
  parts: string
  /** The words, numbers and signs of these parts that those of the other text do not have. */
  words: string[]
}

/** What each of two texts has and the other has not. Case makes no difference, nor does the order of clauses. */
export function differences(a: string, b: string): [Differences, Differences] {
  const [one, two] = [partsOf(a), partsOf(b)]
  const [ofA, ofB] = [without(one, two), without(two, one)]
  return [
    { parts: ofA, words: wordsBeyond(ofA, ofB) },
    { parts: ofB, words: wordsBeyond(ofB, ofA) },
  ]
}

/** Clauses and lines with what ends them: punctuation before a space, or a line break. */
const partsOf = (text: string): string[] => text.match(/[^]+?(?:[.,:;?!]+(?:\s+|$)|\n+|$)/g) ?? []

/** A part that stands twice is lacking if the other text has it once. */
function without(parts: readonly string[], others: readonly string[]): string {
  const left = others.map(bare)
  const lacking = parts.filter((part) => {
    const place = left.indexOf(bare(part))
    if (place >= 0) left.splice(place, 1)
    return place < 0
  })
  return lacking.join('').trim()
}

const bare = (part: string): string => part.replace(/[\s.,:;?!]+$/, '').toLowerCase()

function wordsBeyond(text: string, other: string): string[] {
  const known = new Set(wordsOf(other).map((word) => word.toLowerCase()))
  const found = new Map<string, string>()
  for (const word of wordsOf(text)) {
    const plain = word.toLowerCase()
    if (!known.has(plain) && !found.has(plain)) found.set(plain, word)
  }
  return [...found.values()]
}

const wordsOf = (text: string): string[] => text.match(/\p{L}+|\d+|[^\s\p{L}\d.,:;?!]/gu) ?? []
