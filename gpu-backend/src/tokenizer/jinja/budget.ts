/**
 * What a template may use up: rendering holds the thread, and templates are of others' making. A rendering is never
 * interrupted by another, so there is one account, which every part of the work is put down to.
 */
import { fail } from './error.ts'

/** A conversation of 4,096 messages takes most templates less than a tenth. */
const MAX_STEPS = 10_000_000
/** Characters of a text at most. */
const MAX_SIZE = 2 ** 24
/** An item of a list takes as much memory as so many characters. */
export const CHARACTERS_AN_ITEM = 8
/** Characters that are read or written about as fast as one step is done. */
const CHARACTERS_A_STEP = 32

let left = 0

/** Does work that has a whole budget to itself. */
export function budgeted<Result>(work: () => Result): Result {
  left = MAX_STEPS
  return work()
}

/** @throws TemplateError when nothing is left */
export function spend(steps = 1): void {
  left -= steps
  if (left < 0) fail('the template takes too many steps')
}

export const spendOnText = (length: number): void => spend(length / CHARACTERS_A_STEP)

/** @throws TemplateError when a text would have more characters than it may */
export function assertSize(characters: number): void {
  if (!(characters <= MAX_SIZE)) fail(`the template makes a text of more than ${MAX_SIZE} characters`)
}

/** A replacer whose texts, taken together, have no more characters than one may. */
export function withinSize<Given extends unknown[]>(write: (...given: Given) => string): (...given: Given) => string {
  let size = 0
  return (...given) => {
    const text = write(...given)
    size += text.length
    assertSize(size)
    return text
  }
}

/** @throws TemplateError when a list would have more items than it may */
export function assertItems(items: number): void {
  if (!(items <= MAX_SIZE / CHARACTERS_AN_ITEM))
    fail(`the template makes a list of more than ${MAX_SIZE / CHARACTERS_AN_ITEM} items`)
}
