/** The chain of thought, link by link: drafted steps and what became of them, and what the target wrote by itself between them. */
import type { ShownStep } from '@lookahead/sdk/react'
import type { TimedEvent } from './recording.ts'

export interface PlainText {
  fate: 'plain'
  /** The step that it follows; -1: none. */
  after: number
  text: string
}
export type Link = ShownStep | PlainText

/** In order. Steps that are nothing but tags are left out. */
export function chainOf(steps: readonly ShownStep[], events: readonly TimedEvent[]): Link[] {
  const place = (link: Link) => (link.fate === 'plain' ? link.after + 0.5 : link.step)
  return [...steps, ...plainTexts(events)]
    .filter(({ text }) => shown(text) !== '')
    .toSorted((a, b) => place(a) - place(b))
}

/** A step's text as people read it. */
export const shown = (text: string): string => text.replaceAll(/<\/?think>/g, '').trim()

/** Thoughts of cycles in which nothing was drafted. The answer stands by itself. */
function plainTexts(events: readonly TimedEvent[]): PlainText[] {
  const texts: PlainText[] = []
  let after = -1
  let hasSteps = false
  for (const event of events) {
    if (event.type === 'run.stats') hasSteps = false
    if ('step' in event) hasSteps = true
    if (event.type === 'step.accepted' || event.type === 'step.corrected') after = event.step
    if (event.type !== 'text.delta' || event.channel !== 'reasoning' || hasSteps) continue
    const last = texts.at(-1)
    if (last?.after === after) last.text += event.text
    else texts.push({ fate: 'plain', after, text: event.text })
  }
  return texts
}

/** Two texts, cut into what they have in common at both ends and what differs between. */
export function difference(a: string, b: string): { start: string; a: string; b: string; end: string } {
  const [left, right] = [words(a), words(b)]
  const most = Math.min(left.length, right.length)
  let start = 0
  while (start < most && left[start] === right[start]) start++
  let end = 0
  while (end < most - start && left.at(-1 - end) === right.at(-1 - end)) end++
  const middle = (of: string[]) => of.slice(start, of.length - end).join('')
  return {
    start: left.slice(0, start).join(''),
    a: middle(left),
    b: middle(right),
    end: left.slice(left.length - end).join(''),
  }
}

/** With the white space behind each. */
const words = (text: string): string[] => text.match(/\S+\s*/g) ?? []
