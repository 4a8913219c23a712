/**
 * Rewrites the steps of `tokenizer.json` so that the library we use does with them what Python's tokenizers does. By itself it
 * takes JavaScript's white space and digits for Unicode's in places, and knows one of the five ways of splitting.
 */
import type { Behavior, Pattern, Step } from './stored.ts'

/** Steps of normalising. */
export function normalizers(step: Step): Step[] {
  switch (step.type) {
    case 'Sequence':
      return (step.normalizers ?? []).flatMap(normalizers)
    case 'Strip':
      return [
        ...(step.strip_left ? [replace('\\A\\s+', '')] : []),
        ...(step.strip_right ? [replace('(?<!\\s)\\s+\\z', '')] : []),
      ]
    case 'Replace':
      return [replace(regexOf(step.pattern), step.content ?? '')]
    case 'Prepend':
      return [replace(`\\A(?=${ANY})`, step.prepend ?? '')]
    case 'Lowercase':
      // Letter by letter: JavaScript would write a sigma at a word's end as ς.
      return [replace('Σ', 'σ'), step]
    case 'BertNormalizer':
      return bertNormalizers(step)
    default:
      return [step]
  }
}

/**
 * BERT's (normalizers/bert.rs): control characters are left out, white space becomes spaces, Chinese characters become words,
 * accents go, capitals too. Python's tables of characters are those of Unicode 8, so marks of scripts added since stay there.
 */
function bertNormalizers(step: Step): Step[] {
  const { clean_text: cleans = true, handle_chinese_chars: parts = true, lowercase = true } = step
  return [
    ...(cleans ? [replace('[\\x00\\x{fffd}]|(?![\\t\\n\\r])[\\p{Cc}\\p{Cf}\\p{Co}]', ''), replace('\\s', ' ')] : []),
    ...(parts ? [{ ...replace(CHINESE, ''), content: ' $& ' }] : []),
    ...((step.strip_accents ?? lowercase) ? [{ type: 'NFD' }, replace('\\p{Mn}', '')] : []),
    ...(lowercase ? normalizers({ type: 'Lowercase' }) : []),
  ]
}

/** Steps of splitting into words. @throws Error for a way of splitting that is not supported */
export function preTokenizers(step: Step): Step[] {
  switch (step.type) {
    case 'Sequence':
      return (step.pretokenizers ?? []).flatMap(preTokenizers)
    case 'ByteLevel':
      return [
        ...(step.add_prefix_space ? [replace('\\A(?=[^ ])', ' ')] : []),
        ...((step.use_regex ?? true) ? [split(GPT2, 'Isolated')] : []),
        { ...step, add_prefix_space: false, use_regex: false },
      ]
    case 'Metaspace':
      return metaspace(step)
    case 'Split':
      return [split(regexOf(step.pattern), step.behavior ?? 'Isolated', step.invert)]
    case 'Digits':
      return [split('\\p{N}', step.individual_digits ? 'Isolated' : 'Contiguous')]
    case 'Punctuation':
      return [split(PUNCTUATION, step.behavior ?? 'Isolated')]
    case 'Whitespace':
      return [split(`[${WORD}]+|[^${WORD}\\s]+`, 'Removed', true)]
    case 'WhitespaceSplit':
      return [split('\\s', 'Removed')]
    case 'BertPreTokenizer':
      return [split('\\s', 'Removed'), split(PUNCTUATION, 'Isolated')]
    case 'CharDelimiterSplit':
      return [split(literal(step.delimiter ?? ''), 'Removed')]
    default:
      return [step]
  }
}

/** Spaces become a visible character, which a word begins with. */
function metaspace(step: Step): Step[] {
  const { replacement = '\u2581', split: splits } = step
  const scheme = step.add_prefix_space === false ? 'never' : (step.prepend_scheme ?? 'always')
  const replaced = { ...step, prepend_scheme: scheme }
  return (splits ?? true) ? [replaced, split(literal(replacement), 'MergedWithNext')] : [replaced]
}

/** Every match, and what lies between, is a piece. */
const pieces = (regex: string): Step => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
})

function split(regex: string, behavior: Behavior, invert = false): Step {
  // What is matched and what lies between are pieces alike, so inverting changes nothing.
  if (behavior === 'Isolated') return pieces(regex)
  const match = `(?:${regex})`
  if (behavior === 'Contiguous') return pieces(`${match}+`)
  if (behavior === 'Removed') return { ...pieces(regex), behavior, invert }
  if (invert) throw new Error(`a Split that is inverted and ${behavior} is not supported`)
  const between = `(?:(?!${match})${ANY})`
  return pieces(behavior === 'MergedWithNext' ? `${match}${between}*` : `${between}+${match}?|${match}`)
}

/** Puts `content` in the place of every match. */
export const replace = (regex: string, content: string): Step => ({
  type: 'Replace',
  pattern: { Regex: regex },
  // To JavaScript a single dollar sign could stand for a part of the match.
  content: content.replaceAll('$', '$$$$'),
})

/** As Oniguruma's expressions write it, which all of these are. */
export const literal = (text: string): string =>
  Array.from(text, (character) => `\\x{${character.codePointAt(0)!.toString(16)}}`).join('')

const regexOf = (pattern: Pattern | undefined): string =>
  pattern === undefined ? '(?!)' : 'Regex' in pattern ? pattern.Regex : literal(pattern.String)

/** What Python's tokenizers, which goes by Rust's expressions in this, calls a character of a word. */
export const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'
const ANY = '[\\s\\S]'
/** GPT-2's words, as in pre_tokenizers/byte_level.rs; `\s` is Unicode's white space. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/** As BERT's own code has them. */
const CHINESE =
  '[\\x{4e00}-\\x{9fff}\\x{3400}-\\x{4dbf}\\x{20000}-\\x{2a6df}\\x{2a700}-\\x{2b73f}\\x{2b740}-\\x{2b81f}' +
  '\\x{2b920}-\\x{2ceaf}\\x{f900}-\\x{faff}\\x{2f800}-\\x{2fa1f}]'
/** Unicode's punctuation, and ASCII's symbols, which Unicode does not count as such. */
const PUNCTUATION = '[\\p{P}\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e]'
