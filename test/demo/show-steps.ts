import { styleText } from 'node:util'
import type { RunEvent } from '@lookahead/sdk'

type Format = Parameters<typeof styleText>[0]

/** `validateStream` makes the colours go where stdout is no terminal or `NO_COLOR` is set. */
export const paint = (format: Format, text: string) =>
  styleText(format, text, { stream: process.stdout, validateStream: true })

/** What was drafted is shown once it is ruled on. */
const fates: Record<StepEvent['type'], { label: string; format: Format }> = {
  'step.accepted': { label: 'accepted', format: 'green' },
  'step.rejected': { label: 'rejected', format: ['red', 'strikethrough'] },
  'step.corrected': { label: 'target  ', format: 'yellow' },
}

/** A step's fate as one line of text; nothing for events that are not about steps. */
export function stepLine(event: RunEvent): string | undefined {
  if (event.type === 'run.degraded') return paint('magenta', `  degraded ${event.part}: ${event.message}`)
  if (!isStep(event)) return undefined
  const { label, format } = fates[event.type]
  return `  ${paint('dim', label)} ${paint(format, oneLine(event.text))}`
}

type StepEvent = Exclude<Extract<RunEvent, { type: `step.${string}` }>, { type: 'step.drafted' }>
const isStep = (event: RunEvent): event is StepEvent => event.type in fates

export const oneLine = (text: string): string => text.trim().replaceAll(/\s+/g, ' ')
