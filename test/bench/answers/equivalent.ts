/** Whether two answers are the same one, however they are written. The mathematics is CortexJS Compute Engine's. */
import { ComputeEngine } from '@cortex-js/compute-engine'
import { asList, plainNotation, withoutName, withoutThousands, withoutUnit } from './notation.ts'
import type { List } from './notation.ts'

const LONGEST = 300
/** Powers of powers of numbers, and exponents and factorials of five digits: the engine would reckon with them for minutes. */
const TOO_LARGE = /\d\s*\^\s*\{[^{}]*\^|\^\s*\{?\s*-?\d{5}|\d{5}\s*!/

/**
 * `\frac12` is 0.5 and 50 %, `1,234` is 1234, `12\text{ cm}` is 12, `x = 3` is 3, `\sqrt8` is `2\sqrt2`, and lists are equal
 * entry by entry: in any order unless they stand in brackets. A rounded number is not what it was rounded from. A per cent sign
 * may be left out, as the published answers do: 50 % is also 50.
 */
export function equivalent(given: string, expected: string): boolean {
  return sameAnswer(plainNotation(given), plainNotation(expected))
}

function sameAnswer(a: string, b: string): boolean {
  if (a === '' || b === '') return false
  if (letters(a) === letters(b)) return true
  const [one, other] = [a, b].map((text) => withoutThousands(withoutUnit(oneName(text, a, b)))) as [string, string]
  if (letters(one) === letters(other)) return true
  const [lists, none] = [asList(one), asList(other)]
  if (lists || none) return lists !== undefined && none !== undefined && sameList(lists, none)
  return percentages(one).some((x) => percentages(other).some((y) => sameValue(x, y)))
}

/** Of two equations each side counts; a name that only one has says nothing. */
const oneName = (text: string, a: string, b: string): string =>
  a.includes('=') && b.includes('=') ? text : withoutName(text)

/** For comparing as text: `(C)` is C, and case and spaces do not count in words. */
function letters(text: string): string {
  const bare = text.replaceAll(' ', '').replace(/^\(([a-zA-Z])\)$/, '$1')
  return isWords(bare) && bare.length > 1 ? bare.toLowerCase() : bare
}

const isWords = (text: string): boolean => /^[a-zA-Z ]+$/.test(text)

function percentages(text: string): string[] {
  const [, number] = /^(.*\S)\s*%$/.exec(text) ?? []
  return number === undefined ? [text] : [number, String.raw`\frac{${number}}{100}`]
}

function sameList(a: List, b: List): boolean {
  if (a.open !== b.open || a.close !== b.close || a.entries.length !== b.entries.length) return false
  if (a.open === '(' || a.open === '[') return a.entries.every((entry, i) => sameAnswer(entry, b.entries[i]!))
  const left = [...b.entries]
  return a.entries.every((entry) => {
    const at = left.findIndex((candidate) => sameAnswer(entry, candidate))
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  })
}

/** As mathematics. Words are none: `east` is not the product of its letters. */
function sameValue(a: string, b: string): boolean {
  if ([a, b].some((text) => text.length > LONGEST || TOO_LARGE.test(text) || isLongWord(text))) return false
  try {
    const [left, right] = [engine().parse(a), engine().parse(b)]
    if (!left.isValid || !right.isValid) return false
    if (left.isEqual(right) === true) return true
    return engine().box(['Subtract', left, right]).simplify().is(0)
  } catch {
    // Nothing that can be reckoned with.
    return false
  }
}

const isLongWord = (text: string): boolean => isWords(text) && text.length > 2

let shared: ComputeEngine | undefined

/** Made when first needed: it takes a tenth of a second. */
const engine = (): ComputeEngine => (shared ??= new ComputeEngine())
