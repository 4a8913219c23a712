import { literal, nowhere } from './added-tokens.ts'
import type { AddedToken } from './stored.ts'

/** The tags of thinking are none of the marks: in what an assistant said they are the tokens that it wrote. */
const THINKING = ['<think>', '</think>']

/** The first of the lone surrogates that stand for characters: what is sent as text has none. */
const FIRST = 0xdc00

/**
 * Keeps what messages say apart from the marks of the format. A template renders both to one string, in which a mark that a
 * message spells out could not be told from the template's own; so its first character gets a stand-in, with which it is
 * no token but text. Templates take a stand-in for the character it stands for (`jinja/stand-ins.ts`).
 */
export class Contents {
  /** Finds the first character of a mark. */
  readonly #begins: RegExp
  readonly #standIns: ReadonlyMap<string, string>
  readonly #characters: ReadonlyMap<string, string>

  /**
   * @param added special tokens are marks, and so are others that the template itself writes, such as DeepSeek's `<｜User｜>`
   * @param template its source
   */
  constructor(added: readonly AddedToken[], template = '') {
    const marks = added
      .filter(({ special, content }) => special || (content.trim() !== '' && template.includes(content)))
      .map(({ content }) => content)
      .filter((content) => content.length > 1 && !THINKING.includes(content))
    // Of marks that overlap, each is found.
    this.#begins = new RegExp(`(?=${marks.map(literal).join('|') || nowhere})[^]`, 'gu')
    const characters = new Set(marks.map((mark) => String.fromCodePoint(mark.codePointAt(0)!)))
    this.#standIns = new Map(Array.from(characters, (character, i) => [character, String.fromCharCode(FIRST + i)]))
    this.#characters = new Map(Array.from(this.#standIns, ([character, standIn]) => [standIn, character]))
  }

  /** With a stand-in in every mark of the format. Lone surrogates, which no tokenizer can spell, become U+FFFD. */
  readonly fenced = (text: string): string =>
    text.toWellFormed().replace(this.#begins, (character) => this.#standIns.get(character)!)

  /** What a text with stand-ins says. */
  readonly plain = (text: string): string =>
    text.replace(/[\ud800-\udfff]/gu, (standIn) => this.#characters.get(standIn) ?? standIn)
}
