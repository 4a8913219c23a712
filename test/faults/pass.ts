/** A stream of events on its way, one of which comes to harm. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Strike } from './fault.ts'

interface Passing {
  /** How much later each event comes than it was sent. */
  delayMs: number
  strike: Strike | undefined
  /** Called when it strikes. */
  struck: () => void
}

/** The answer, event by event. */
export async function pass(
  from: IncomingMessage,
  to: ServerResponse,
  { delayMs, strike, struck }: Passing,
): Promise<void> {
  const due: { at: number; text: string }[] = []
  let isOver: 'ended' | 'broken' | undefined
  let wake = Promise.withResolvers<void>()
  const changed = () => (wake.resolve(), (wake = Promise.withResolvers()))
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (text: string) => {
    const frames = (rest + text).split(/(?<=\n\n)/)
    rest = frames.at(-1)?.endsWith('\n\n') ? '' : (frames.pop() ?? '')
    for (const frame of frames) due.push({ at: performance.now() + delayMs, text: frame })
    changed()
  })
  from.once('end', () => {
    if (rest) due.push({ at: performance.now() + delayMs, text: rest })
    isOver ??= 'ended'
    changed()
  })
  from.on('error', () => undefined)
  from.once('close', () => ((isOver ??= 'broken'), changed()))
  to.once('close', () => ((isOver = 'broken'), changed()))

  let events = 0
  for (;;) {
    const next = due.shift()
    if (!next) {
      if (isOver === 'ended') return void to.end()
      if (isOver === 'broken') return void to.socket?.resetAndDestroy()
      await wake.promise
      continue
    }
    await sleep(Math.max(0, next.at - performance.now()))
    if (to.destroyed) return
    const isEvent = next.text.startsWith('id:') || next.text.startsWith('event:')
    if (!strike || !isEvent || events++ !== strike.event) to.write(next.text)
    else if ((await harm(next.text, due, to, strike, struck)) === 'gone') return
  }
}

/** @returns 'gone' where nothing more is to pass */
async function harm(
  text: string,
  due: { text: string }[],
  to: ServerResponse,
  { kind, ms }: Strike,
  struck: () => void,
): Promise<'gone' | undefined> {
  const half = Math.ceil(text.length / 2)
  switch (kind) {
    case 'reset':
      struck()
      to.write(text.slice(0, half))
      await sleep(5)
      to.socket?.resetAndDestroy()
      return 'gone'
    case 'truncate':
      struck()
      to.end(text.slice(0, half))
      return 'gone'
    case 'stall':
      struck()
      to.write(text.slice(0, half))
      return 'gone'
    case 'delay':
      struck()
      await sleep(ms)
      break
    case 'tear event':
      struck()
      for (const byte of Buffer.from(text.slice(0, half))) to.write(Uint8Array.of(byte))
      await sleep(ms)
      text = text.slice(half)
      break
    case 'drop event':
      struck()
      return undefined
    case 'double event':
      struck()
      to.write(text)
      break
    case 'swap events': {
      const next = due.shift()
      if (next) struck()
      if (next) to.write(next.text)
      break
    }
    case 'garble event':
      struck()
      text = text.replace('data: {', 'data: {{')
  }
  to.write(text)
  return undefined
}
