/** Runs of the shipped models, as `node test/record/main.ts` recorded them. */
import { readFileSync } from 'node:fs'
import { RunEvent, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'

export type Recording = 'steps' | 'corrected' | 'plain' | 'cut-short' | 'prompt' | 'failed' | 'refused'
export const completed = ['steps', 'corrected', 'plain', 'cut-short', 'prompt'] as const

export function recorded(name: Recording): RunEvent[] {
  const file = new URL(`recorded/${name}.json`, import.meta.url)
  return v.parse(v.object({ events: v.array(RunEvent) }), JSON.parse(readFileSync(file, 'utf8'))).events
}

/** What the recorded run said on a channel, or on both. */
export const said = (events: readonly RunEvent[], channel?: 'reasoning' | 'answer'): string =>
  events
    .flatMap((event) => (event.type === 'text.delta' && (!channel || event.channel === channel) ? [event.text] : []))
    .join('')

/** Server-sent events as any client reads them. */
export async function sent(wire: string): Promise<{ event: string; data: string }[]> {
  const list: { event: string; data: string }[] = []
  for await (const { event, data } of readEvents(new Response(wire).body!)) list.push({ event, data })
  return list
}
