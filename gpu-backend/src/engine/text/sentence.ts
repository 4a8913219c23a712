/**
 * Where sentences end, in a text of which more is to come. `Intl.Segmenter` knows it only once the next sentence has begun, and
 * takes "Mr. Smith" for two; a step would then end amid the next one's first words. So a sentence ends here only with a token,
 * by what is there already. Most ends show at once, since tokenizers keep a dot amid a word (`a.b`) with what follows it. After a
 * number the dot may be a decimal's: only white space of its own, such as a line's end, ends the sentence there, and else it
 * stays one with the next.
 */

/** What ends sentences, with what may close around it, and white space after it. */
const END = /([\p{Sentence_Terminal}…]+)[\p{Pe}\p{Pf}"'*]*(\s*)$/u
/** How much of a text says whether it ends a sentence. */
const MEMORY = 96

/** Whether a text ends with the end of a sentence, as far as that can be told before more has come. */
export function endsSentence(text: string): boolean {
  const tail = text.slice(-MEMORY)
  const end = END.exec(tail)
  return end !== null && isEnd(tail.slice(0, end.index), end[1]!, end[2] !== '')
}

function isEnd(before: string, mark: string, isFollowed: boolean): boolean {
  if (!/[\p{L}\p{N}]/u.test(before)) return false
  if (mark.startsWith('!')) return !FACTORIAL.test(before)
  if (/^(?:\.\.|…)/.test(mark)) return isFollowed && /[\p{L}\p{N}]$/u.test(before)
  if (mark.startsWith('.'))
    return !LISTED.test(before) && !ABBREVIATED.test(before) && (isFollowed || !OPEN.test(before))
  return true
}

/** `5!`, `n!`, `(n+1)!` */
const FACTORIAL = /(?:[\p{N})]|(?<!\p{L})\p{L})$/u
/** The number or letter of a list's item: `1.` at the beginning of a line. */
const LISTED = /(?:^|\n)[ \t(*#>]*(?:\p{N}+|\p{L})$/u
/** `e.g.`, `U.S.`, and the commonest English ones that a name or number follows. */
const ABBREVIATED =
  /(?:(?<!\p{L})\p{L}\.\p{L}|(?<!\p{L})(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|cf|approx|Fig|fig|Eq|eq|Sec|sec))$/u
/** After a number a dot may be a decimal's, after a letter one of `e.g.`, and after a bracket one of `f(x).y`. */
const OPEN = /(?:[\p{N}\p{Pe}]|(?<!\p{L})\p{L})$/u
