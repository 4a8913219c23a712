import { literal } from './added-tokens.ts'
import type { AddedToken } from './stored.ts'

/**
 * A noncharacter, which Unicode keeps for such internal uses (The Unicode Standard, 23.7): normalising and templates leave it
 * alone.
 */
const FENCE = '\ufdd0'

/** The tags of thinking are none of the marks: templates look for them in what an assistant said. */
const THINKING = ['<think>', '</think>']

/**
 * Keeps what messages say apart from the marks of the format. A template renders both to one string, in which a mark that a
 * message spells out could not be told from the template's own; so it gets a fence, with which it is no token but text.
 */
export class Contents {
  readonly #marks: RegExp

  /**
   * @param added special tokens are marks, and so are others that the template itself writes, such as DeepSeek's `<｜User｜>`
   * @param template its source
   */
  constructor(added: readonly AddedToken[], template = '') {
    const marks = added
      .filter(({ special, content }) => special || (content.trim() !== '' && template.includes(content)))
      .map(({ content }) => content)
      .filter((content) => content.length > 1 && !THINKING.includes(content))
      .toSorted((a, b) => b.length - a.length)
    this.#marks = new RegExp([FENCE, ...marks].map(literal).join('|'), 'gu')
  }

  /** With a fence in every mark of the format. One that is there already is doubled. */
  fenced(text: string): string {
    return text.replace(this.#marks, (mark) => mark[0] + FENCE + mark.slice(1))
  }
}

/** The text without its fences. */
export const unfenced = (text: string): string =>
  text.includes(FENCE) ? text.replaceAll(/\ufdd0(\ufdd0?)/g, '$1') : text
