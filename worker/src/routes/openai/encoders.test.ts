/** Every dialect, on the same recorded runs. */
import type { RunEvent } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { completed, recorded, said, sent } from '../../../test/recorded.ts'
import { chatEncoder } from './chat.ts'
import { completionEncoder } from './completions.ts'
import type { Completed, Encoder } from './dialect.ts'
import { ResponseEncoder } from './response-encoder.ts'

const named = { id: 'r1', created: 1_764_000_000 }
const usage = { stream_options: { include_usage: true } }

const wire = (encoder: Encoder, events: readonly RunEvent[]) =>
  sent(events.map((event) => encoder.event(event)).join(''))

interface Chunk {
  id: string
  object: string
  created: number
  model: string
  choices: { index: number; delta: Record<string, string>; text: string; finish_reason: string | null }[]
  usage?: object | null
  lookahead?: { events: RunEvent[] }
  error?: object
}

/** Chunks, once it is certain that none has a name and `[DONE]` comes last. */
async function chunks(encoder: Encoder, events: readonly RunEvent[]): Promise<Chunk[]> {
  const all = await wire(encoder, events)
  expect(new Set(all.map(({ event }) => event))).toEqual(new Set(['message']))
  expect(all.pop()?.data).toBe('[DONE]')
  return all.map(({ data }) => JSON.parse(data) as Chunk)
}

const extras = (list: readonly Chunk[]) => list.flatMap(({ lookahead }) => lookahead?.events ?? [])
const told = (events: readonly RunEvent[]) => events.filter(({ type }) => type !== 'text.delta' && type !== 'run.stats')

function openaiUsage({ usage: { prompt_tokens, completion_tokens, reasoning_tokens }, stats }: Completed) {
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    completion_tokens_details: {
      reasoning_tokens,
      accepted_prediction_tokens: stats.accepted_tokens,
      rejected_prediction_tokens: stats.proposed_tokens - stats.accepted_tokens,
    },
  }
}

describe.each(completed)('the recorded run "%s"', (name) => {
  const events = recorded(name)
  const last = events.at(-1) as Completed

  test('as a response that is read again: each event has the number that it had, and the whole is the last', async () => {
    const all = await wire(new ResponseEncoder(named, { model: 'm' }), events)
    const again = await wire(new ResponseEncoder(named, { model: 'm' }, 7), events)
    expect(again).toEqual(all.slice(7))
    expect(JSON.parse(again[0]!.data)).toMatchObject({ sequence_number: 7 })
    const half = new ResponseEncoder(named, { model: 'm', store: true }).whole(events.slice(0, -1))
    expect(half).toMatchObject({ status: 'in_progress', store: true, usage: null })
    const stopped: RunEvent = { type: 'run.failed', code: 'cancelled', message: 'm' }
    const cancelled = new ResponseEncoder(named, { model: 'm' }).whole([...events.slice(0, -1), stopped])
    expect(cancelled).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } })
    const { output } = cancelled as { output: { status: string }[] }
    expect(output.map(({ status }) => status)).not.toContain('in_progress')
  })

  test('as chunks of a chat: all text in its field, every step beside it, usage last', async () => {
    const list = await chunks(chatEncoder(named, { model: 'm', ...usage }), events)
    const final = list.pop()!
    expect([final.choices, final.usage]).toEqual([[], openaiUsage(last)])
    for (const { id, object, created, model, choices, usage: none } of list) {
      expect({ id, object, created, model }).toEqual({
        id: 'chatcmpl-r1',
        object: 'chat.completion.chunk',
        created: named.created,
        model: 'm',
      })
      expect([choices.length, none]).toEqual([1, null])
    }
    const text = (field: string) => list.map(({ choices }) => choices[0]!.delta[field] ?? '').join('')
    expect(text('content')).toBe(said(events, 'answer'))
    expect(text('reasoning')).toBe(said(events, 'reasoning'))
    expect(text('reasoning_content')).toBe(said(events, 'reasoning'))
    expect(list[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' })
    const ends = list.map(({ choices }) => choices[0]!.finish_reason)
    expect([ends.pop(), new Set(ends)]).toEqual([last.finish_reason, new Set([null])])
    expect(extras(list)).toEqual(told(events))
  })

  test('as a whole chat', () => {
    const whole = chatEncoder(named, { model: 'm' }).whole(events)
    const reasoning = said(events, 'reasoning') || null
    const message = { role: 'assistant', content: said(events, 'answer'), refusal: null, reasoning }
    expect(whole).toEqual({
      id: 'chatcmpl-r1',
      object: 'chat.completion',
      created: named.created,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { ...message, reasoning_content: reasoning },
          logprobs: null,
          finish_reason: last.finish_reason,
        },
      ],
      usage: openaiUsage(last),
      lookahead: { events: told(events) },
    })
  })

  test('as a completion, in chunks and whole: both channels are text', async () => {
    const list = await chunks(completionEncoder(named, { model: 'm' }), events)
    expect(list.map(({ choices }) => choices[0]!.text).join('')).toBe(said(events))
    expect(list.every((chunk) => !('usage' in chunk) && chunk.object === 'text_completion')).toBe(true)
    expect(extras(list)).toEqual(told(events))
    expect(completionEncoder(named, { model: 'm' }).whole(events)).toMatchObject({
      id: 'cmpl-r1',
      choices: [{ index: 0, text: said(events), finish_reason: last.finish_reason }],
      usage: openaiUsage(last),
      lookahead: { events: told(events) },
    })
  })

  test('as the events of a response: numbered, items one after another, every delta within its item', async () => {
    const list = await responseEvents(events)
    expect(list.map(({ sequence_number }) => sequence_number)).toEqual(list.map((_, i) => i))
    const own = list.filter(({ type }) => !type.startsWith('lookahead:'))
    expect(own.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
    const done = own.at(-1)!
    const status = last.finish_reason === 'length' ? 'incomplete' : 'completed'
    expect([done.type, done.response!.status]).toEqual([`response.${status}`, status])
    expect(done.response!.output.at(-1)!.status).toBe(status)
    expect(done.response!.usage).toEqual({
      input_tokens: last.usage.prompt_tokens,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: last.usage.completion_tokens,
      output_tokens_details: { reasoning_tokens: last.usage.reasoning_tokens },
      total_tokens: last.usage.prompt_tokens + last.usage.completion_tokens,
    })
    // What a client puts together from the events is what the last one says.
    expect(putTogether(own)).toEqual(done.response!.output)
    const text = (type: string) =>
      done
        .response!.output.filter((item) => item.type === type)
        .map(({ content }) => content[0]!.text)
        .join('')
    expect([text('reasoning'), text('message')]).toEqual([said(events, 'reasoning'), said(events, 'answer')])
    const extra = told(events).map((event) => ({ ...event, type: `lookahead:${event.type}` }))
    expect(list.filter(({ type }) => type.startsWith('lookahead:'))).toMatchObject(extra)
  })

  test('as a whole response: the one that the last event has', async () => {
    const { lookahead, ...response } = new ResponseEncoder(named, { model: 'm' }).whole(events) as Record<
      string,
      unknown
    >
    expect(response).toEqual((await responseEvents(events)).at(-1)!.response)
    expect(lookahead).toEqual({ events: told(events) })
  })
})

interface Item {
  id: string
  type: string
  status: string
  content: { type: string; text: string }[]
}
interface ResponseEvent {
  type: string
  sequence_number: number
  item_id?: string
  output_index?: number
  item?: Item
  part?: Item['content'][number]
  delta?: string
  text?: string
  response?: { status: string; usage: object | null; output: Item[]; error: object | null }
}

async function responseEvents(events: readonly RunEvent[], withSteps = true): Promise<ResponseEvent[]> {
  const list = await wire(new ResponseEncoder(named, { model: 'm', withSteps }), events)
  return list.map(({ event, data }) => {
    const parsed = JSON.parse(data) as ResponseEvent
    expect(parsed.type).toBe(event)
    return parsed
  })
}

function putTogether(list: readonly ResponseEvent[]): Item[] {
  const items: Item[] = []
  let open: { item: Item; text: string } | undefined
  for (const { type, item, part, item_id, output_index, delta, text } of list) {
    if (type === 'response.output_item.added') {
      expect([open, output_index, item!.content]).toEqual([undefined, items.length, []])
      open = { item: item!, text: '' }
    } else if (type.endsWith('.delta')) {
      expect([item_id, output_index]).toEqual([open!.item.id, items.length])
      open!.text += delta!
    } else if (type.endsWith('_text.done')) expect(text).toBe(open!.text)
    else if (type === 'response.content_part.done') expect(part!.text).toBe(open!.text)
    else if (type === 'response.output_item.done') {
      expect(item!.content[0]!.text).toBe(open!.text)
      items.push(item!)
      open = undefined
    }
  }
  expect(open).toBeUndefined()
  return items
}

test('the runs have what the dialects are to tell: steps kept and corrected, thoughts, answers, and an end by length', () => {
  const types = new Set(completed.flatMap((name) => recorded(name)).map(({ type }) => type))
  for (const type of ['step.accepted', 'step.rejected', 'step.corrected'] as const) expect(types).toContain(type)
  expect(said(recorded('steps'), 'answer')).toContain('\\boxed')
  expect(said(recorded('steps'), 'reasoning')).not.toBe('')
  expect(recorded('cut-short').at(-1)).toMatchObject({ finish_reason: 'length' })
})

test('a response is streamed without the events of ours, unless they are asked for', async () => {
  const types = (list: readonly ResponseEvent[]) => list.map(({ type }) => type)
  const [all, own] = [await responseEvents(recorded('steps')), await responseEvents(recorded('steps'), false)]
  expect(types(all).filter((type) => !type.startsWith('lookahead:'))).toEqual(types(own))
  expect(types(all).length).toBeGreaterThan(types(own).length)
})

test('thoughts can be asked for in one field', async () => {
  const events = recorded('steps')
  const encoder = chatEncoder(named, { model: 'm', reasoning_field: 'reasoning' })
  const keys = (await chunks(encoder, events)).flatMap(({ choices }) => Object.keys(choices[0]!.delta))
  expect(new Set(keys)).toEqual(new Set(['role', 'content', 'reasoning']))
})

test('a run that fails on the way ends with an error in each dialect, and no [DONE]', async () => {
  const events = recorded('failed')
  for (const encoder of [chatEncoder(named, { model: 'm' }), completionEncoder(named, { model: 'm' })]) {
    const last = (await wire(encoder, events)).at(-1)!
    expect(JSON.parse(last.data)).toMatchObject({ error: { code: 'target_unavailable', type: 'server_error' } })
  }
  const last = (await responseEvents(events)).at(-1)!
  expect(last).toMatchObject({ type: 'response.failed', response: { status: 'failed' } })
  expect(last.response!.error).toMatchObject({ code: 'target_unavailable' })
})
